"""One process of the system under test: `python -m tests.sim.node ROLE`, with a JSON line of
settings on standard input. It ends when that is closed, and is killed at any moment.

writer      the ledger's service and payouts behind a socket: a JSON line in, a JSON line out; the
            outbox, which it wakes; and what carries payouts out: the runner of sagas, maturing,
            questions to the bank
publisher   the outbox of a process that writes nothing, and the hash chain
reader      the AML worker on that stream
"""

import asyncio
import json
import os
import sys
import traceback
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import uvloop
from pydantic import HttpUrl, SecretStr
from redis.asyncio import Redis

from compliance.aml.store import AmlStore
from compliance.aml.worker import AmlWorker
from config.aml import AmlSettings
from config.ledger import EvidenceSettings, LedgerSettings, OutboxSettings
from config.payouts import HttpProviderSettings, PayoutSettings, SagaSettings
from ledger import batcher
from ledger.errors import LedgerBusy, LedgerRefusal
from ledger.event_store.database import Database
from ledger.evidence.chainer import Chainer
from ledger.outbox import OutboxPublisher
from ledger.payouts.check import Verdict
from ledger.replays import ReplayStore
from ledger.service import LedgerService
from ledger.store import LedgerStore
from ledger.store.evidence import EvidenceStore
from server.background import background
from server.bus import LedgerEventStream
from server.consumers import event_source
from server.database import create_pool
from server.payouts import Payouts, build_payouts
from tests.sim import bank
from tests.sim.operations import OPERATIONS, shown
from tests.sim.payout_operations import PAYOUT_OPERATIONS

LEDGER = LedgerSettings(
    acquire_timeout_s=1,
    statement_timeout_s=2,
    outbox=OutboxSettings(poll_s=0.05, publish_timeout_s=1, longest_backoff_s=0.2),
)
AML = AmlSettings(
    claim_idle_ms=300,
    block_ms=100,
    retry_max_s=0.2,
    velocity_max_gifts=1000,
    history_per_payer=2000,
)
SAGAS = SagaSettings(
    poll_s=0.1,
    step_timeout_s=2,
    lease_s=2.5,
    most_attempts=100,
    first_backoff_s=0.05,
    longest_backoff_s=0.5,
)
EVIDENCE = EvidenceSettings(chain_every_s=0.1)
MATURING_S = 0.5
FOLLOW_UP_S = 1.0
REVIEW_FROM_MINOR = 400
POOL_SIZE = 10
batcher.WORTH_A_WAY = 1  # few clients, and all the writers
CONNECT_PAUSE_S = 0.05


class Silent:
    """Nobody reads the times here."""

    def observe(self, operation: str, seconds: float, outcome: str) -> None:
        pass


class Clear:
    """Nobody is suspected here; large amounts are looked at all the same."""

    async def judge(self, user_id: UUID) -> Verdict:
        return Verdict(is_clear=True)


def payout_settings(bank_url: str) -> PayoutSettings:
    return PayoutSettings(
        maturity_days=0,
        maturing_s=MATURING_S,
        min_minor=1,
        review_from_minor=REVIEW_FROM_MINOR,
        provider="http",
        http=HttpProviderSettings(
            url=HttpUrl(bank_url),
            token=SecretStr("token"),
            webhook_secrets=(SecretStr(bank.KEY),),
            timeout_s=1,
            follow_up_s=FOLLOW_UP_S,
        ),
        sagas=SAGAS,
    )


async def answer(ledger: LedgerService, payouts: Payouts, line: bytes) -> dict[str, Any]:
    """What happened, as the client may know it: ok, refused, or unknown."""
    request = json.loads(line)
    name = request["operation"]
    operation = (
        partial(PAYOUT_OPERATIONS[name], payouts)
        if name in PAYOUT_OPERATIONS
        else partial(OPERATIONS[name], ledger)
    )
    caller_id, request_id = UUID(request["caller_id"]), UUID(request["request_id"])
    try:
        receipt = await operation(caller_id, request_id, request["arguments"])
    except LedgerBusy:
        return {"outcome": "unknown", "answer": {}}
    except LedgerRefusal as refusal:
        return {"outcome": "refused", "answer": {"code": refusal.code}}
    except Exception as error:
        return {
            "outcome": "unknown",
            "answer": {"unexpected": "".join(traceback.format_exception(error)[-6:])},
        }
    return {"outcome": "ok", "answer": shown(receipt)}


async def write(pool: asyncpg.Pool, redis: Redis, settings: dict[str, Any]) -> None:
    ours = LEDGER.model_copy(update={"payouts": payout_settings(settings["bank_url"])})
    store = LedgerStore(pool, ours)
    publisher = OutboxPublisher(store, LedgerEventStream(redis), ours.outbox)
    ledger = LedgerService(ours, store, wake=publisher.wake, observer=Silent())
    payouts = build_payouts(pool, ours, ledger, Clear(), clock=lambda: datetime.now(UTC))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(json.dumps(await answer(ledger, payouts, line)).encode() + b"\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", settings["port"])
    async with AsyncExitStack() as stack:
        for name, run in (
            ("outbox", publisher.run),
            ("sagas", payouts.runner.run),
            ("maturing", payouts.maturing.run),
            ("follow-up", payouts.follow_up.run),
        ):
            await stack.enter_async_context(background(name, run))
        await server.serve_forever()


async def publish(pool: asyncpg.Pool, redis: Redis, _: dict[str, Any]) -> None:
    store = LedgerStore(pool, LEDGER)
    chainer = Chainer(EvidenceStore(pool), EVIDENCE, clock=lambda: datetime.now(UTC))
    async with background("chain", chainer.run):
        await OutboxPublisher(store, LedgerEventStream(redis), LEDGER.outbox).run()


async def read(pool: asyncpg.Pool, redis: Redis, _: dict[str, Any]) -> None:
    database = Database(pool, acquire_timeout_s=1, statement_timeout_s=2)
    replays = ReplayStore(database, clock=lambda: datetime.now(UTC), new_id=uuid4)
    source = event_source(
        redis, replays, "aml", member=str(os.getpid()), claim_idle_ms=AML.claim_idle_ms
    )
    worker = AmlWorker(source, AmlStore(pool), AML, clock=lambda: datetime.now(UTC))
    async with background("aml", worker.run):
        await asyncio.Event().wait()


ROLES = {"writer": write, "publisher": publish, "reader": read}


async def connected(url: str) -> asyncpg.Pool:
    """The pool, as soon as the database lets us in; a supervisor would start us again till then."""
    while True:
        try:
            return await create_pool(url, size=POOL_SIZE)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await asyncio.sleep(CONNECT_PAUSE_S)


async def end_with_driver() -> None:
    """End as kill -9 would, when whoever started us is gone."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    await reader.read()
    os._exit(0)


async def main(role: str) -> None:
    settings = json.loads(sys.stdin.readline())
    watching = asyncio.create_task(end_with_driver())
    pool = await connected(settings["database_url"])
    redis = Redis.from_url(settings["redis_url"], socket_timeout=2, socket_connect_timeout=1)
    await ROLES[role](pool, redis, settings)
    await watching


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1]))
