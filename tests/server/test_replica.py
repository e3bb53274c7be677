"""Reads from a replica that is fit, behind, or away; a second pool stands for the replica."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from config.ledger import LedgerSettings
from ledger.payouts.check import Verdict
from ledger.payouts.states import OPEN, PayoutState
from ledger.purchases.states import PurchaseState
from ledger.reconcile.worklist import DifferenceState
from ledger.sagas.steps import TaskState
from ledger.service import LedgerService
from ledger.store import LedgerStore
from ledger.store.evidence import EvidenceStore
from ledger.store.reconcile import ReconcileStore
from server.database import create_pool
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.redis import EmbeddedRedis
from server.metrics import Metrics
from server.payouts import Payouts, build_payouts
from server.replica import Reads
from tests.support.history import fund
from tests.support.kettles import Clock
from tests.support.line import Line
from tests.support.standby import Standby, running_standby

AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


REPLAYED_BEFORE_S = """
SELECT true AS in_recovery, 0::bigint AS log_end,
       clock_timestamp() - interval '{} s' AS committed_at, now() AS started_at
"""


@pytest.fixture
async def line(database_url: str) -> AsyncIterator[Line]:
    async with Line(database_url) as line:
        yield line


@pytest.fixture
async def replica(line: Line) -> AsyncIterator[asyncpg.Pool]:
    pool = await create_pool(line.url, least=0)
    yield pool
    pool.terminate()


@pytest.fixture
async def standby(
    stores: tuple[EmbeddedPostgres, EmbeddedRedis], database_url: str, data_dir: Path
) -> AsyncIterator[Standby]:
    async with running_standby(stores[0], database_url, data_dir / "standby") as standby:
        yield standby


async def where(reads: Reads) -> str:
    before = reads.from_replica
    async with reads.acquire(timeout=2) as connection:
        assert await connection.fetchval("SELECT 1") == 1
    return "replica" if reads.from_replica > before else "database"


async def test_a_fit_replica_is_read(pool: asyncpg.Pool, replica: asyncpg.Pool) -> None:
    reads = Reads(pool, replica, max_lag_s=10)
    assert [await where(reads) for _ in range(3)] == ["replica"] * 3


async def test_without_a_replica_the_database_is_read(pool: asyncpg.Pool) -> None:
    assert await where(Reads(pool, None, max_lag_s=10)) == "database"


async def test_a_replica_that_is_behind_is_not_read(
    pool: asyncpg.Pool, replica: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.replica.LOOK_S", 0)
    monkeypatch.setattr("server.replica.REPLAYED", REPLAYED_BEFORE_S.format(11))
    reads = Reads(pool, replica, max_lag_s=10)
    assert await where(reads) == "database"
    monkeypatch.setattr("server.replica.REPLAYED", REPLAYED_BEFORE_S.format(9))
    assert await where(reads) == "replica"


async def test_one_that_has_more_than_the_database_is_of_another_log(
    pool: asyncpg.Pool, replica: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database failed over to a standby that lacks the end of the log, and this one has it."""
    monkeypatch.setattr("server.replica.LOOK_S", 0)
    replayed = (
        "SELECT true, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint + {},"
        " clock_timestamp(), now()"
    )
    monkeypatch.setattr("server.replica.REPLAYED", replayed.format(2**30))
    reads = Reads(pool, replica, max_lag_s=10)
    assert await where(reads) == "database"
    monkeypatch.setattr("server.replica.REPLAYED", replayed.format(-1))
    assert await where(reads) == "replica"


async def test_one_that_has_what_was_just_written_is_fit(
    pool: asyncpg.Pool, replica: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than there was when the database was asked."""
    monkeypatch.setattr("server.replica.LOOK_S", 0)
    await pool.execute("CREATE SEQUENCE ledger.asked MINVALUE 999")
    monkeypatch.setattr(
        "server.replica.POSITION", "SELECT nextval('ledger.asked'), clock_timestamp(), now()"
    )
    monkeypatch.setattr(
        "server.replica.REPLAYED", "SELECT true, 1000::bigint, clock_timestamp(), now()"
    )
    assert await where(Reads(pool, replica, max_lag_s=10)) == "replica"
    assert await pool.fetchval("SELECT last_value FROM ledger.asked") == 1000


@pytest.mark.slow
async def test_a_real_one_whose_link_is_cut_is_behind(
    pool: asyncpg.Pool, standby: Standby, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.replica.LOOK_S", 0)
    reads = Reads(pool, standby.pool, max_lag_s=1.5)

    async def becomes(which: str) -> None:
        async with asyncio.timeout(30):
            while await where(reads) != which:
                await fund(pool, uuid4(), 10)

    await becomes("replica")
    await standby.line.cut()
    await becomes("database")
    await standby.line.mend()
    await becomes("replica")
    await standby.promote()  # it goes a way of its own
    await becomes("database")


@pytest.mark.parametrize(
    "query",
    [
        ("SELECT $1::int", "no number"),  # asyncpg.DataError
        ("SELECT 1/0",),
        ("SELECT nothing",),
        ("SET statement_timeout = 1; SELECT pg_sleep(1)",),
    ],
)
async def test_a_read_that_fails_by_its_own_doing_is_not_the_replicas_fault(
    pool: asyncpg.Pool, replica: asyncpg.Pool, query: tuple[str, ...]
) -> None:
    reads = Reads(pool, replica, max_lag_s=10)
    with pytest.raises(AWAY):
        async with reads.acquire(timeout=2) as connection:
            await connection.execute(*query)
    assert await where(reads) == "replica"


@pytest.mark.parametrize("code", ["57P01", "57P02", "57P03", "08006", "40001", "40P01"])
async def test_a_read_that_fails_by_its_doing_is(
    pool: asyncpg.Pool, replica: asyncpg.Pool, code: str
) -> None:
    reads = Reads(pool, replica, max_lag_s=10)
    with pytest.raises(AWAY):
        async with reads.acquire(timeout=2) as connection:
            await connection.execute(f"DO $$ BEGIN RAISE SQLSTATE '{code}'; END $$")
    assert await where(reads) == "database"


async def test_a_read_whose_connection_ends_is_the_replicas_fault(
    pool: asyncpg.Pool, replica: asyncpg.Pool
) -> None:
    reads = Reads(pool, replica, max_lag_s=10)

    async def read_of_one_that_ends() -> None:
        async with reads.acquire(timeout=2) as connection:
            connection.terminate()
            await connection.execute("SELECT 1")

    with pytest.raises(asyncpg.InterfaceError):
        await read_of_one_that_ends()
    assert await where(reads) == "database"


async def test_a_replica_that_is_away_is_left_alone_for_a_while(
    pool: asyncpg.Pool, replica: asyncpg.Pool, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = Reads(pool, replica, max_lag_s=10)
    assert await where(reads) == "replica"
    await line.cut()
    with pytest.raises(AWAY):  # the read under way fails, and is the caller's to try again
        await where(reads)
    assert await where(reads) == "database"
    await line.mend()
    assert await where(reads) == "database"
    monkeypatch.setattr(reads, "_look_at", 0.0)
    assert await where(reads) == "replica"


# ---- which lists of admins may be a little behind ----


class AllClear:
    async def judge(self, user_id: Any) -> Verdict:
        return Verdict(True)


class Lists:
    """What admins list, over these connections."""

    def __init__(self, pool: asyncpg.Pool, reads: Reads) -> None:
        settings = LedgerSettings()
        store = LedgerStore(pool, settings, reads=reads)
        ledger = LedgerService(settings, store, wake=lambda: None, observer=Metrics().ledger)
        self.payouts: Payouts = build_payouts(
            pool, settings, ledger, AllClear(), clock=Clock(), reads=reads
        )
        self.ledger = ledger
        self.reconcile = ReconcileStore(pool, reads=reads)
        self.evidence = EvidenceStore(pool, reads=reads)


Ask = Callable[[Lists], Awaitable[object]]


def payouts_in(state: PayoutState | None) -> Ask:
    return lambda lists: lists.payouts.requests.newest(state, None, 5)


def purchases_in(state: PurchaseState | None) -> Ask:
    return lambda lists: lists.payouts.purchases.newest(state, None, 5)


def tasks_in(state: TaskState | None) -> Ask:
    return lambda lists: lists.payouts.sagas.tasks(state=state, limit=5)


def differences_in(state: DifferenceState | None) -> Ask:
    return lambda lists: lists.reconcile.differences(state, None, 5)


BEHIND: list[Ask] = [
    lambda lists: lists.ledger.trial_balance(),
    payouts_in(None),
    *(payouts_in(state) for state in PayoutState if state not in OPEN),
    *(purchases_in(state) for state in (None, PurchaseState.CREDITED, PurchaseState.REFUNDED)),
    *(tasks_in(state) for state in (None, TaskState.DONE)),
    *(differences_in(s) for s in (None, DifferenceState.RESOLVED, DifferenceState.CLEARED)),
    lambda lists: lists.payouts.batches.batches(None, 5),
    lambda lists: lists.reconcile.reconciliations(None, 5),
    lambda lists: lists.evidence.checkpoints(limit=5),
]
UP_TO_DATE: list[Ask] = [
    *(payouts_in(state) for state in OPEN),
    *(purchases_in(state) for state in (PurchaseState.PAID, PurchaseState.REFUND_DUE)),
    *(tasks_in(state) for state in (TaskState.DUE, TaskState.DEAD)),
    *(differences_in(state) for state in (DifferenceState.OPEN, DifferenceState.ASSIGNED)),
    lambda lists: lists.payouts.requests.to_look_at(None, 5),
    lambda lists: lists.payouts.requests.of_user(uuid4(), None, 5),
    lambda lists: lists.payouts.sagas.consumers(),
    lambda lists: lists.reconcile.reconciliation(uuid4()),
    lambda lists: lists.evidence.newest_checkpoint(),
    lambda lists: lists.ledger.wallet(uuid4()),
]


@pytest.mark.parametrize(
    ("ask", "from_replica"), [*((ask, 1) for ask in BEHIND), *((ask, 0) for ask in UP_TO_DATE)]
)
async def test_where_a_list_is_read(
    pool: asyncpg.Pool, replica: asyncpg.Pool, ask: Ask, from_replica: int
) -> None:
    reads = Reads(pool, replica, max_lag_s=10)
    await ask(Lists(pool, reads))
    assert reads.from_replica == from_replica


@pytest.mark.parametrize(
    "ask",
    [payouts_in(None), purchases_in(None), tasks_in(None), differences_in(None)],
)
async def test_a_list_comes_from_the_database_when_the_replica_fails(
    pool: asyncpg.Pool, replica: asyncpg.Pool, line: Line, ask: Ask
) -> None:
    reads = Reads(pool, replica, max_lag_s=10)
    await ask(Lists(pool, reads))
    await line.cut()
    await ask(Lists(pool, reads))
    assert (reads.from_replica, reads.from_database) == (2, 1)
