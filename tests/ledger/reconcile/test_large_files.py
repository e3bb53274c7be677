"""Settlement files that are large, slow or in the way: bounds, and patience."""

import asyncio
import threading
from datetime import date
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from config.reconcile import ReconcileSettings, SettlementFormat
from ledger.errors import LedgerBusy
from ledger.reconcile import service as module
from ledger.reconcile.errors import InvalidFile
from ledger.reconcile.items import Item
from ledger.reconcile.service import Reconciler
from ledger.reconcile.worklist import DifferenceState
from ledger.store import reconcile as store_module
from ledger.store.reconcile import ReconcileStore
from tests.support.settlements import settlement

DAY = date(2026, 1, 10)
WITH_AN_ID = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_xid IS NOT NULL
"""


def of(pool, stream, clock, store=None, **settings):
    return Reconciler(
        store or ReconcileStore(pool),
        ReconcileSettings(**settings),
        published=stream,
        clock=clock,
    )


def lines(*names):
    return settlement(*(f"{name},,1.00,EUR,{DAY}" for name in names))


async def test_a_run_is_more_patient_than_the_pool(database_url):
    """The pool's own patience is for statements that users wait for."""
    async with asyncpg.create_pool(database_url, min_size=1, command_timeout=0.2) as pool:
        other = await asyncpg.connect(database_url)
        transaction = other.transaction()
        await transaction.start()
        await other.execute("LOCK TABLE ledger.settlement_lines")

        async def add():
            async with ReconcileStore(pool).work() as work:
                await work.add_lines("acme", [Item("t1", "A", 499, "EUR", DAY)], uuid4())

        adding = asyncio.create_task(add())
        done, _ = await asyncio.wait([adding], timeout=0.6)
        assert not done
        await transaction.rollback()
        await adding
        await other.close()
        assert await pool.fetchval("SELECT count(*) FROM ledger.settlement_lines") == 1


async def test_a_file_that_fails_does_not_stand_before_the_next_one(pool, stream, clock, tmp_path):
    (tmp_path / "acme").mkdir()
    for name in ("1", "2", "3"):
        (tmp_path / "acme" / f"{name}.csv").write_bytes(lines(name))

    class Busy(ReconcileStore):
        busy = 2

        def work(self):
            self.busy -= 1
            if self.busy == 0:
                raise LedgerBusy
            return super().work()

    providers = {"acme": SettlementFormat()}
    reconciler = of(pool, stream, clock, Busy(pool), inbox=str(tmp_path), providers=providers)
    assert len(await reconciler.take_inbox()) == 2
    assert len(await reconciler.take_inbox()) == 1  # what was busy is taken the next time


async def test_a_file_with_too_many_bytes_is_refused_unread(pool, stream, clock, tmp_path):
    content = lines("t1")
    path: Path = tmp_path / "1.csv"
    path.write_bytes(content)
    for most, is_taken in ((len(content), True), (len(content) - 1, False)):
        reconciler = of(pool, stream, clock, providers={"acme": SettlementFormat(max_bytes=most)})
        if is_taken:
            await reconciler.settlement_file("acme", path)
            continue
        for taking in (
            reconciler.settlement_file("acme", path),
            reconciler.settlement("acme", content),
            reconciler.settlement("acme", content.decode()),
        ):
            with pytest.raises(InvalidFile, match=f"more than {most} bytes"):
                await taking


async def test_the_work_list_takes_so_many_of_one_check_and_then_the_next(
    pool, stream, clock, monkeypatch
):
    monkeypatch.setattr(module, "MOST_FOUND", 3)
    reconciler = of(pool, stream, clock)

    async def open_ones():
        listed = await reconciler.differences(DifferenceState.OPEN, None, 100)
        return {each.subject.removeprefix("theirs "): each.difference_id for each in listed}

    run = await reconciler.settlement("default", lines(*"abcde"))
    assert run.differences == 5
    assert sorted(await open_ones()) == ["a", "b", "c"]
    await reconciler.resolve((await open_ones())["b"], "their fee")
    run = await reconciler.settlement("default", lines("f"))
    assert run.differences == 6
    assert sorted(await open_ones()) == ["a", "c", "d"]


async def test_nothing_is_written_before_everything_is_matched(pool, stream, clock, monkeypatch):
    """A transaction that has an id holds back event numbers for as long as it runs."""
    match, loop = module.match, asyncio.get_running_loop()
    started, go_on = asyncio.Event(), threading.Event()

    def slow(*args):
        loop.call_soon_threadsafe(started.set)
        assert go_on.wait(10)
        return match(*args)

    monkeypatch.setattr(module, "match", slow)
    reconciler = of(pool, stream, clock)
    running = asyncio.create_task(reconciler.settlement("default", lines("a")))
    await started.wait()
    try:
        assert await pool.fetchval(WITH_AN_ID) == 0
    finally:
        go_on.set()
    assert (await running).differences == 1


async def test_what_looks_at_every_line_leaves_the_loop_alone(pool, stream, clock, monkeypatch):
    """A million lines are seconds of work, for which no gift may wait."""
    threads = {}

    def noted(name):
        work = getattr(module, name)

        def note(*args, **named):
            threads[name] = threading.get_ident()
            return work(*args, **named)

        return note

    for name in ("_hash_of", "read_settlement", "_new_lines", "match", "_to_list"):
        monkeypatch.setattr(module, name, noted(name))
    await of(pool, stream, clock).settlement("default", lines("a"))
    assert len(threads) == 5
    assert threading.get_ident() not in threads.values()


async def test_several_nodes_compare_once(pool, stream, clock):
    """A run is written at its end: until then, to all others one is due."""
    nodes = [of(pool, stream, clock, every_s=3600) for _ in range(3)]
    assert sorted(await asyncio.gather(*(node.turn() for node in nodes))) == [False, False, True]
    assert await pool.fetchval("SELECT count(*) FROM ledger.reconciliations") == 1
    await nodes[0].internal()
    await nodes[1].internal(by=uuid4())
    assert await pool.fetchval("SELECT count(*) FROM ledger.reconciliations") == 3


async def test_a_stream_that_was_set_back_is_compared_with_a_bounded_part_of_the_log(
    pool, stream, clock, monkeypatch
):
    monkeypatch.setattr(store_module, "MOST_LOGGED", 5)
    await pool.executemany(
        "INSERT INTO ledger.event_log (sequence, writer, event_count, posted_at, events)"
        " VALUES ($1, 1, 1, now(), $2)",
        [(number, f"[{number}]") for number in range(1, 101)],
    )
    await pool.execute("UPDATE ledger.event_cursors SET sequence = 100")
    for number in (1, 2, 2**63, 10**30):
        stream.put(number, f"[{number}]")
    reconciler = of(pool, stream, clock)
    await reconciler.internal()
    listed = await reconciler.differences(None, None, 100)
    assert {(each.subject, each.reason) for each in listed} == {
        *((f"batch {n}", "in the log, and missing in the stream") for n in range(96, 101)),
        *((f"batch {n}", "in the stream, and not in the log") for n in (2**63, 10**30)),
    }
