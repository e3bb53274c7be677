"""Reads from a replica that is fit, behind, or away; a second pool stands for the replica."""

from collections.abc import AsyncIterator, Awaitable, Callable
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
from server.metrics import Metrics
from server.payouts import Payouts, build_payouts
from server.replica import Reads
from tests.support.kettles import Clock
from tests.support.line import Line

AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


@pytest.fixture
async def line(database_url: str) -> AsyncIterator[Line]:
    async with Line(database_url) as line:
        yield line


@pytest.fixture
async def replica(line: Line) -> AsyncIterator[asyncpg.Pool]:
    pool = await create_pool(line.url, least=0)
    yield pool
    pool.terminate()


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
    monkeypatch.setattr("server.replica.LAG", "SELECT 11.0::float8")
    monkeypatch.setattr("server.replica.LOOK_S", 0)
    reads = Reads(pool, replica, max_lag_s=10)
    assert await where(reads) == "database"
    monkeypatch.setattr("server.replica.LAG", "SELECT 9.0::float8")
    assert await where(reads) == "replica"


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
