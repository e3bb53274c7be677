"""The log's shifts: one publisher at a time, and a page that says where it stands."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from config.ledger import LedgerSettings, OutboxSettings
from ledger.outbox import LogBatch
from ledger.recent import RecentBatches
from ledger.store.calls import AWAY, Calls
from ledger.store.log import shift


async def test_a_page_holds_batches_behind_the_cursor(store, fund, ledger):
    for _ in range(3):
        await fund(uuid4(), 5)
    async with shift(store.calls, RecentBatches()) as first:
        page = await first.read(2)
        assert [batch.event_count for batch in page.batches] == [1, 1]
        assert page.cursor == 0
        assert page.head == page.batches[-1].sequence + 1
        assert page.batches[0].events.startswith(b"[{")
        assert page.now >= page.batches[0].posted_at
        assert page.next_transaction >= page.oldest_running
        first.move(page.batches[-1].sequence)
    async with shift(store.calls, RecentBatches()) as second:
        rest = await second.read(2)
        assert rest.cursor == page.batches[-1].sequence
        assert len(rest.batches) == 1
        assert rest.next_transaction > page.next_transaction


async def test_a_shift_goes_on_behind_what_it_has_published(store, fund, pool):
    for _ in range(3):
        await fund(uuid4(), 5)
    async with shift(store.calls, RecentBatches()) as held:
        sequences = []
        for _ in range(3):
            page = await held.read(1)
            sequences += [batch.sequence for batch in page.batches]
            held.move(page.batches[-1].sequence)
        assert sequences == sorted(set(sequences))
        assert await _cursor(pool) == sequences[1]  # the last is told with what is asked next
        held.move(sequences[0])
        assert [batch.sequence for batch in (await held.read(9)).batches] == sequences[1:]
    assert await _cursor(pool) == sequences[0]


async def test_what_is_committed_here_is_not_asked_for(store, fund, pool):
    await fund(uuid4(), 5)
    recent = RecentBatches()
    recent.add(LogBatch(1, 1, datetime.now(UTC), b"[of a server that is gone]"))
    async with shift(store.calls, recent) as held:
        [first] = (await held.read(9)).batches
        assert first.events != b"[of a server that is gone]"
        held.move(first.sequence)
        ours = LogBatch(first.sequence + 1, 3, datetime.now(UTC), b"[ours]")
        recent.add(ours)
        page = await held.read(9)
        assert page.batches == (ours,)  # which the database knows nothing of
        assert (page.cursor, page.head, page.now) == (first.sequence, 2, ours.posted_at)
        held.move(ours.sequence)
        assert await _cursor(pool) == 0
        assert not await held.is_wanted()
        assert await _cursor(pool) == ours.sequence


async def test_what_is_missing_in_front_is_asked_for(store, fund):
    recent = RecentBatches()
    async with shift(store.calls, recent) as held:
        assert (await held.read(9)).batches == ()
        await fund(uuid4(), 5)
        recent.add(LogBatch(2, 1, datetime.now(UTC), b"[ours]"))
        page = await held.read(9)
        assert [batch.sequence for batch in page.batches] == [1]
        held.move(1)
        assert (await held.read(9)).batches[0].events == b"[ours]"
        held.move(0)  # the sink has lost them
        assert [batch.sequence for batch in (await held.read(9)).batches] == [1]


async def test_a_shift_knows_when_another_publisher_waits(store, pool):
    async def next_shift():
        async with shift(store.calls, RecentBatches()) as following:
            await following.read(1)

    async with shift(store.calls, RecentBatches()) as held:
        await held.read(1)
        assert not await held.is_wanted()
        waits = asyncio.create_task(next_shift())
        async with asyncio.timeout(10):
            while await _locks(pool) < 2:
                await asyncio.sleep(0.01)
        assert await held.is_wanted()
    await waits


async def test_a_shift_that_fails_leaves_the_cursor_and_the_lock(store, fund):
    await fund(uuid4(), 5)

    async def fail():
        async with shift(store.calls, RecentBatches()) as failing:
            page = await failing.read(1)
            failing.move(page.batches[0].sequence)
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await fail()
    async with shift(store.calls, RecentBatches()) as again:
        assert (await again.read(1)).cursor == 0


async def test_publishers_take_turns(store):
    entered = []

    async def take(name):
        async with shift(store.calls, RecentBatches()) as held:
            await held.read(1)
            entered.append(name)
            await held.read(1)
            assert entered[-1] == name

    await asyncio.gather(*(take(name) for name in "abc"))
    assert sorted(entered) == ["a", "b", "c"]


async def test_a_publisher_that_stalls_loses_the_lock(pool):
    settings = LedgerSettings(
        statement_timeout_s=0.2, outbox=OutboxSettings(publish_timeout_s=0.05)
    )
    calls = Calls(pool, settings)

    async def stall():
        async with shift(calls, RecentBatches()) as stalled:
            await stalled.read(1)
            assert await _locks(pool) == 1
            async with asyncio.timeout(10):
                while await _locks(pool):
                    await asyncio.sleep(0.01)
            await stalled.read(1)

    with pytest.raises(AWAY):  # the driver tells it in several ways
        await stall()
    async with shift(calls, RecentBatches()) as next_:
        await next_.read(1)


async def test_a_connection_goes_back_to_the_pool_as_it_came(store, pool):
    async with shift(store.calls, RecentBatches()) as held:
        await held.read(1)
    assert await pool.fetchval("SHOW idle_session_timeout") == "0"
    assert await _locks(pool) == 0


async def _locks(pool):
    """How many hold or want the publishers' lock in the test's database; there is no other here."""
    return await pool.fetchval(
        "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database"
        " WHERE locktype = 'advisory' AND datname = current_database()"
    )


async def _cursor(pool):
    return await pool.fetchval(
        "SELECT sequence FROM ledger.event_cursors WHERE consumer = 'stream'"
    )
