"""The crash campaign: `python -m tests.sim.campaign --crashes 200 --seed 7` (`make crash`).

Clients post and ask for payouts while, at random moments, PostgreSQL, Redis, writers (in the midst
of steps of payouts), publishers and readers are killed with SIGKILL and started again, and the ways
between them delay, end, freeze, and lose answers; the bank loses answers, too. Then everything is
mended, half of what is unknown is tried again, payouts come to their ends, and the checker judges,
as `ledger verify` does.
A crash counts when postings were acknowledged since the one before. The seed decides what is broken
and asked for in which order; the moments depend on the machine, too.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from uuid import UUID, uuid5

import asyncpg
from redis.asyncio import Redis

from config.ledger import EvidenceSettings
from ledger.evidence.chainer import Chainer
from ledger.evidence.verify import Verifier
from ledger.store.evidence import EvidenceStore
from server.database import create_pool
from tests.sim.checker import faults
from tests.sim.clients import Client
from tests.sim.collect import (
    collect,
    is_settled,
    payouts_are_carried_out,
    payouts_to_judge,
    steps,
)
from tests.sim.history import History, Key, Outcome
from tests.sim.system import System
from tests.support.fault_proxy import FaultProxy

CLIENTS = 8
PEOPLE = 24
VICTIMS = {"postgres": 3, "redis": 3, "writer": 4, "publisher": 3, "reader": 2}
WAYS = ("delay", "cut", "freeze", "drop answers", "none", "none")
FAULT_S = (0.02, 0.5)
PEACE_S = (0.0, 0.3)
PROGRESS_PATIENCE_S = 30.0
SETTLE_PATIENCE_S = 60.0
PAYOUT_PATIENCE_S = 60.0
LAST_TRIES = 20
FIRST_COINS = 5_000
BANK, ADMIN = uuid5(UUID(int=0), "bank"), uuid5(UUID(int=0), "admin")


@dataclass
class Report:
    """What was done, and what came out."""

    seed: int
    crashes: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)
    dropped_answers: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    """Requests that were acknowledged, by operation."""
    payouts: Counter[str] = field(default_factory=Counter)
    """By the state in which they ended."""
    bank: str = ""
    transactions: int = 0
    chained: int = 0
    """Links of the hash chain that were made while things broke."""
    repeats_in_stream: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        crashes = ", ".join(f"{name} {count}" for name, count in sorted(self.crashes.items()))
        ways = ", ".join(f"{name} {count}" for name, count in sorted(self.ways.items()))
        lines = [
            f"seed {self.seed}: {self.crashes.total()} crashes in {self.seconds:.0f} s ({crashes})",
            f"network: {ways}; answers dropped: {self.dropped_answers}",
            f"requests: {dict(self.requests)}; tries: {dict(self.calls)}",
            f"acknowledged: {dict(self.operations)}",
            f"payouts: {dict(self.payouts)}; {self.bank}",
            f"transactions: {self.transactions}; links: {self.chained};"
            f" repeats in the stream: {self.repeats_in_stream}",
            f"faults: {len(self.faults)}",
            *self.faults[:50],
        ]
        return "\n".join(lines)


class Campaign:
    """One run over a system that was started."""

    def __init__(self, system: System, seed: int, crashes: int) -> None:
        self._system = system
        self._random = random.Random(seed)
        self._wanted = crashes
        self._history = History()
        self._people = [UUID(int=self._random.getrandbits(128), version=4) for _ in range(PEOPLE)]
        self._clients = [
            Client(number, seed, self._history, system.writer_ports, self._people)
            for number in range(CLIENTS)
        ]
        self._outside = Client(CLIENTS, seed, self._history, system.writer_ports, self._people)
        """Who brings what is asked for from outside: the first coins, and the bank's notices."""
        self.report = Report(seed)

    async def run(self) -> Report:
        began = perf_counter()
        stopped = asyncio.Event()
        await self._fund()
        telling = asyncio.create_task(self._system.bank.tell(self._notice))
        tasks = [asyncio.create_task(client.run(stopped)) for client in self._clients]
        try:
            await self._progress()
            while self.report.crashes.total() < self._wanted:
                await self._round()
                await self._progress()
        finally:
            stopped.set()
            await asyncio.gather(*tasks)
        await self._try_again()
        connection = await asyncpg.connect(self._system.postgres.url)
        with suppress(TimeoutError):  # what is left over then is what the checker finds
            async with asyncio.timeout(PAYOUT_PATIENCE_S):
                await self._end_payouts(connection)
        telling.cancel()
        await asyncio.wait([telling])
        self._outside.close()
        await self._judge(connection)
        await connection.close()
        self.report.seconds = perf_counter() - began
        return self.report

    async def _fund(self) -> None:
        """Return once the writers are up, and every other one has coins."""
        async with asyncio.timeout(PROGRESS_PATIENCE_S):
            for user_id in self._people[::2]:
                key = Key(ADMIN, UUID(int=self._random.getrandbits(128), version=4))
                arguments = {"user_id": user_id, "amount_minor": FIRST_COINS}
                while (await self._outside.call(key, "grant", arguments)).outcome is not Outcome.OK:
                    await asyncio.sleep(0.05)

    async def _round(self) -> None:
        """A crash, mostly with trouble on one of the ways around it."""
        way = self._random.choice((self._system.to_postgres, self._system.to_redis))
        trouble = self._random.choice(WAYS)
        victim = self._random.choices(list(VICTIMS), list(VICTIMS.values()))[0]
        await asyncio.sleep(self._random.uniform(*PEACE_S))
        await self._trouble(way, trouble)
        await asyncio.sleep(self._random.uniform(*FAULT_S))
        await self._crash(victim)
        await way.mend()
        self.report.crashes[victim] += 1
        if trouble != "none":
            name = "PostgreSQL" if way is self._system.to_postgres else "Redis"
            self.report.ways[f"{trouble} ({name})"] += 1

    async def _trouble(self, way: FaultProxy, trouble: str) -> None:
        match trouble:
            case "delay":
                way.delay_s = self._random.uniform(0.001, 0.05)
            case "cut":
                await way.cut()
            case "freeze":
                way.freeze()
            case "drop answers":
                way.drop_answers(self._random.randint(1, 20))

    async def _crash(self, victim: str) -> None:
        match victim:
            case "postgres":
                await self._system.crash_postgres()
            case "redis":
                await self._system.crash_redis()
            case role:
                nodes = [node for node in self._system.nodes if node.role == role]
                await self._system.crash_node(self._random.choice(nodes))

    async def _progress(self) -> None:
        """Return once postings are acknowledged again."""
        before = self._acknowledged()
        async with asyncio.timeout(PROGRESS_PATIENCE_S):
            while self._acknowledged() < before + CLIENTS:
                await asyncio.sleep(0.01)

    def _acknowledged(self) -> int:
        return sum(client.acknowledged for client in self._clients)

    async def _try_again(self) -> None:
        """Of what is unknown, every second request is asked for till there is an answer."""
        client = self._clients[0]
        unknown = [r for r in self._history.requests() if r.outcome is Outcome.UNKNOWN]
        for request in unknown[::2]:
            for _ in range(LAST_TRIES):
                call = await client.call(request.key, request.operation, dict(request.arguments))
                if call.outcome is not Outcome.UNKNOWN:
                    break
                await asyncio.sleep(0.1)
        client.close()

    async def _notice(self, header: str, body: str) -> Outcome:
        """Bring a notice of the bank's."""
        key = Key(BANK, uuid5(BANK, body))
        arguments = {"header": header, "body": body}
        return (await self._outside.call(key, "payout_notice", arguments)).outcome

    async def _end_payouts(self, connection: asyncpg.Connection) -> None:
        """Return once no payout has anything before it, and the bank has told everything."""
        admin = Client(CLIENTS + 1, self.report.seed, self._history, self._system.writer_ports, [])
        while not (self._system.bank.all_is_told and await payouts_are_carried_out(connection)):
            for payout_id in await payouts_to_judge(connection):
                verdict = self._random.choice(("payout_approve", "payout_reject"))
                key = Key(ADMIN, UUID(int=self._random.getrandbits(128), version=4))
                await admin.call(key, verdict, {"payout_id": str(payout_id)})
            await asyncio.sleep(0.05)
        admin.close()

    async def _judge(self, connection: asyncpg.Connection) -> None:
        bank = self._system.bank
        async with Redis.from_url(self._system.redis.url) as redis:
            async with asyncio.timeout(SETTLE_PATIENCE_S):
                while not await is_settled(connection, redis):
                    await asyncio.sleep(0.05)
            evidence = await collect(connection, redis, bank.orders())
        report = self.report
        report.faults = faults(self._history.calls, evidence)
        for client in (*self._clients, self._outside):
            report.faults += [f"unexpected: {error}" for error in client.unexpected]
        report.faults += bank.faults
        report.chained = await connection.fetchval("SELECT count(*) FROM ledger.chain")
        report.faults += await _verify(self._system.postgres.url)
        report.payouts.update(payout.state for payout in evidence.payouts)
        report.bank = (
            f"{await steps(connection)}; the bank got {bank.instructions} orders under"
            f" {len(evidence.orders)} keys, lost {bank.lost_answers} answers, and gave"
            f" {bank.notices} notices"
        )
        report.calls.update(call.outcome.value for call in self._history.calls)
        report.requests.update(each.outcome.value for each in self._history.requests())
        report.operations.update(
            each.operation for each in self._history.requests() if each.outcome is Outcome.OK
        )
        report.transactions = len(evidence.transactions)
        report.repeats_in_stream = len(evidence.stream) - len(evidence.log)
        report.dropped_answers = (
            self._system.to_postgres.dropped_answers + self._system.to_redis.dropped_answers
        )


async def _verify(url: str) -> list[str]:
    """What `ledger verify` finds, with everything chained."""
    async with await create_pool(url, size=2) as pool:
        evidence = EvidenceStore(pool)
        await Chainer(evidence, EvidenceSettings(), clock=lambda: datetime.now(UTC)).catch_up()
        report = await Verifier(evidence, keys={}, now=datetime.now(UTC)).verify()
    return [f"verify: {finding}" for finding in report.findings]


async def campaign(path: Path, seed: int, crashes: int) -> Report:
    """Start a system in `path`, break it `crashes` times, and judge."""
    system = System(path, seed=seed)
    try:
        await system.start()
        return await Campaign(system, seed, crashes).run()
    finally:
        await system.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description="The crash campaign.")
    parser.add_argument("--crashes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}: {arguments.crashes} crashes", flush=True)
    with tempfile.TemporaryDirectory(prefix="sociallive-crash-") as folder:
        Path(folder).chmod(0o711)
        report = asyncio.run(campaign(Path(folder), arguments.seed, arguments.crashes))
    print(report)
    sys.exit(bool(report.faults))


if __name__ == "__main__":
    main()
