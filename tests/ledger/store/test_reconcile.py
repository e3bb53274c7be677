"""Reconciliation's tables on a real PostgreSQL."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from ledger.errors import LedgerBusy
from ledger.reconcile.errors import UnknownDifference
from ledger.reconcile.items import Item
from ledger.reconcile.runs import Found, Reconciliation, RunKind
from ledger.reconcile.worklist import DifferenceState
from ledger.store.reconcile import CHECKS, SQL, ReconcileStore
from tests.support.history import fund, leg, post
from tests.support.settlements import bought

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
DAY = date(2026, 1, 10)


@pytest.fixture
def store(pool):
    return ReconcileStore(pool)


def a_run(**fields):
    sound = {
        "reconciliation_id": uuid4(),
        "kind": RunKind.SETTLEMENT,
        "source": "acme",
        "file_hash": b"f" * 32,
        "started_by": None,
        "started_at": AT,
        "finished_at": AT,
        "checked": 3,
        "matched": 2,
        "differences": 1,
        "details": {"totals_minor": {"EUR": 5}},
    }
    return Reconciliation(**sound | fields)


async def test_runs_are_kept_as_they_were(store):
    run = a_run()
    newer = a_run(kind=RunKind.INTERNAL, file_hash=None, started_at=AT.replace(hour=13))
    async with store.work() as work:
        await work.add(run)
        await work.add(newer)
        assert await work.known(run.reconciliation_id) == run
        assert await work.of_file(b"f" * 32) == run
        assert await work.of_file(b"g" * 32) is None
    assert await store.reconciliation(run.reconciliation_id) == run
    assert await store.reconciliation(uuid4()) is None
    assert await store.reconciliations(None, 1) == [newer]
    assert await store.reconciliations(newer.reconciliation_id, 10) == [run]
    a_moment = timedelta(microseconds=1)
    assert await store.newest_scheduled(newer.started_at + a_moment) == newer.started_at
    assert await store.newest_scheduled(newer.started_at) is None


async def test_what_fails_leaves_nothing(store):
    async def fail():
        async with store.work() as work:
            await work.add(a_run())
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        await fail()
    assert await store.reconciliations(None, 10) == []
    assert await store.newest_scheduled(AT) is None


async def test_runs_and_matches_never_change(store, pool):
    run_id = uuid4()
    async with store.work() as work:
        await work.add(a_run(reconciliation_id=run_id))
        await work.add_lines("acme", [Item("t1", "A", 499, "EUR", DAY)], run_id)
        await work.add_matches([("theirs", "acme:t1", uuid4(), "amount", 0, run_id)])
        await work.list_differences(run_id, [(uuid4(), Found("holds", "a", "b"))], [], AT)
    for table in ("reconciliations", "settlement_lines", "matched_items"):
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await pool.execute(f"DELETE FROM ledger.{table}")
    with pytest.raises(asyncpg.PostgresError):
        await pool.execute("UPDATE ledger.differences SET reason = 'x'")
    with pytest.raises(LedgerBusy):  # nothing is matched twice
        async with store.work() as work:
            await work.add_matches([("theirs", "acme:t1", uuid4(), "amount", 0, run_id)])


async def test_lines_are_known_and_free_until_they_are_matched(store):
    run_id = uuid4()
    lines = [Item("t1", "A", 499, "EUR", DAY), Item("t2", None, -5, "COIN", date(2026, 1, 11))]
    async with store.work() as work:
        assert await work.newest_day("acme") is None
        await work.add_lines("acme", lines, run_id)
        assert await work.known_lines("acme", ["t1", "t9"]) == {"t1": lines[0]}
        assert await work.known_lines("other", ["t1"]) == {}
        assert await work.newest_day("acme") == date(2026, 1, 11)
        assert await work.theirs("acme") == lines
        await work.add_matches([("theirs", "acme:t1", uuid4(), "amount", 0, run_id)])
        assert await work.theirs("acme") == lines[1:]


async def test_ours_are_what_moved_through_providers(store, pool):
    paid = await bought(pool, "acme-1", 499, DAY)
    refunded = await bought(pool, "acme-2", 300, DAY, state="refunded")
    await bought(pool, "other-1", 100, DAY)
    await bought(pool, "acme-3", 100, date(2026, 1, 20))
    async with store.work() as work:
        found = await work.ours(date(2026, 1, 12), "acme-")
        assert found == sorted(
            [
                Item(f"purchase:{paid}", "acme-1", 499, "EUR", DAY),
                Item(f"purchase:{refunded}", "acme-2", 300, "EUR", DAY),
                Item(f"refund:{refunded}", "acme-2", -300, "EUR", DAY),
            ],
            key=lambda item: item.key,
        )
        assert len(await work.ours(date(2026, 1, 31), "")) == 5
        await work.add_matches([("ours", f"purchase:{paid}", uuid4(), "amount", 0, uuid4())])
        assert len(await work.ours(date(2026, 1, 12), "acme-")) == 2


async def test_a_transaction_in_two_currencies_is_two_items(store, pool):
    await pool.execute("INSERT INTO ledger.currencies (currency, scale) VALUES ('GEM', 0)")
    user = uuid4()
    both = await post(
        pool,
        *(leg(user, "wallet", 500), leg(None, "payment_clearing", -500)),
        *(leg(user, "wallet", 7, "GEM"), leg(None, "payment_clearing", -7, "GEM")),
    )
    one = await post(pool, leg(user, "wallet", 3, "GEM"), leg(None, "payment_clearing", -3, "GEM"))
    async with store.work() as work:
        found = {each.key: (each.amount_minor, each.currency) for each in await _ours(work)}
        assert found == {
            f"transaction:{both}": (500, "COIN"),
            f"transaction:{both}:GEM": (7, "GEM"),
            f"transaction:{one}": (3, "GEM"),
        }
        first = f"transaction:{both}"
        await work.add_matches([("ours", first, uuid4(), "amount", 0, uuid4())])
        left = {each.key for each in await _ours(work)}
        assert left == found.keys() - {first}


async def _ours(work):
    return await work.ours(date.today() + timedelta(days=2), "")


@pytest.mark.parametrize(
    ("name", "args"), [("check_purchases", (1000,)), ("ours", (date(2026, 1, 31), ""))]
)
async def test_what_is_paid_for_is_compared_without_a_look_at_gifts(pool, name, args):
    """There are millions of them, of which none was paid for by a provider."""
    plan = await pool.fetch(f"EXPLAIN {SQL[name]}", *args)
    assert not [row for (row,) in plan if "gift_entries" in row]


async def test_checks_of_a_sound_ledger_find_nothing(store, pool):
    await fund(pool, uuid4(), 10)
    async with store.work() as work:
        assert [each for name in CHECKS for each in await work.check(name)] == []
        assert await work.counted() == {"accounts": 2, "purchases": 0}
        assert (await work.scales())["COIN"] == 0
        [sequence] = await work.logged(0, 2**62)
        assert await work.logged(sequence + 1, 2**62) == {}
    assert await store.published_until() == 0


async def test_the_work_list_holds_what_is_open_once(store):
    def listed(run_id, *found):
        return store_list(store, run_id, found, ["holds"])

    one, two, other = (
        Found("holds", "a", "1 is not 2"),
        Found("holds", "b", "3 is not 4"),
        Found("balances", "a", "5 is not 6"),
    )
    first = uuid4()
    await listed(first, one, other)
    await listed(uuid4(), one, two)
    open_ones = await store.differences(DifferenceState.OPEN, None, 10)
    # The other check was not made, so it clears nothing.
    assert {(each.check_name, each.subject) for each in open_ones} == {
        ("holds", "a"),
        ("holds", "b"),
        ("balances", "a"),
    }
    [mine] = [each for each in open_ones if each.reason == one.reason]
    assert mine.reconciliation_id == first
    # Found in other words it is another one.
    await listed(uuid4(), replace(one, reason="1 is not 9"), two)
    [cleared] = await store.differences(DifferenceState.CLEARED, None, 10)
    assert cleared.difference_id == mine.difference_id
    async with store.work() as work:
        assert sorted(each.reason for each in await work.open_differences("holds")) == [
            "1 is not 9",
            "3 is not 4",
        ]


async def store_list(store, run_id, found, checks):
    async with store.work() as work:
        await work.list_differences(run_id, [(uuid4(), each) for each in found], checks, AT)


async def test_a_difference_is_changed_under_its_lock(store):
    await store_list(store, uuid4(), [Found("holds", "a", "b")], ["holds"])
    [line] = await store.differences(None, None, 10)
    ada = uuid4()
    changed = await store.change(
        line.difference_id,
        lambda each: replace(each, state=DifferenceState.ASSIGNED, assigned_to=ada),
    )
    assert changed.assigned_to == ada
    assert await store.differences(DifferenceState.ASSIGNED, None, 10) == [changed]
    with pytest.raises(UnknownDifference):
        await store.change(uuid4(), lambda each: each)


async def test_a_database_that_is_away_is_said(distant_pool, proxy):
    store = ReconcileStore(distant_pool)
    await proxy.refuse()
    with pytest.raises(LedgerBusy):
        await store.reconciliations(None, 10)
    with pytest.raises(LedgerBusy):
        async with store.work() as work:
            await work.counted()
    with pytest.raises(LedgerBusy):
        await store.change(uuid4(), lambda each: each)
