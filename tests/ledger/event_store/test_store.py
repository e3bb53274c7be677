"""The event store on a real PostgreSQL: versions, conflicts, order, what can't be changed."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from ledger.event_store.catalogue import Catalogue, NewEvent, UnreadableEvent
from ledger.event_store.errors import VersionConflict
from ledger.event_store.store import EventStore
from tests.support.kettles import Boiled, Filled


async def test_a_stream_counts_its_events(append, events, clock):
    assert await append("kettle:1", 0, Filled(500)) == 1
    clock.advance(60)
    assert await append("kettle:1", 1, Filled(200), Boiled()) == 3
    read = await events.read_stream("kettle:1")
    assert [(each.version, each.data) for each in read] == [
        (1, Filled(500)),
        (2, Filled(200)),
        (3, Boiled()),
    ]
    assert read[1].created_at == clock()
    assert [each.version for each in await events.read_stream("kettle:1", 2)] == [2, 3]
    assert [each.version for each in await events.read_stream("kettle:1", 2, limit=1)] == [2]
    assert await events.read_stream("kettle:2") == []


async def test_who_comes_second_is_told_where_the_stream_is(append, events):
    await append("kettle:1", 0, Filled(500), Filled(1))
    for expected in (0, 1, 3):
        with pytest.raises(VersionConflict) as conflict:
            await append("kettle:1", expected, Boiled())
        assert (conflict.value.expected, conflict.value.actual) == (expected, 2)
    assert len(await events.read_stream("kettle:1")) == 2
    assert await events.head() == 2


async def test_the_same_events_again_are_appended_once(append, events):
    two = NewEvent(uuid4(), Filled(500)), NewEvent(uuid4(), Boiled())
    assert await append("kettle:1", 0, *two) == 2
    assert await append("kettle:1", 0, *two) == 2
    assert await append("kettle:1", 1, two[1]) == 2
    await append("kettle:1", 2, Filled(1))
    assert await append("kettle:1", 0, *two) == 3
    for wrong in ([two[0], NewEvent(uuid4(), Boiled())], two[::-1], [*two, two[1]]):
        with pytest.raises(VersionConflict):
            await append("kettle:1", 0, *wrong)
    assert await events.head() == 3


async def test_an_id_is_of_one_event_alone(append):
    event = NewEvent(uuid4(), Boiled())
    await append("kettle:1", 0, event)
    with pytest.raises(asyncpg.UniqueViolationError):
        await append("kettle:2", 0, event)


async def test_of_many_that_append_at_once_one_is_right(append, events):
    outcomes = await asyncio.gather(
        *(append("kettle:1", 0, Filled(n)) for n in range(20)), return_exceptions=True
    )
    assert sum(outcome == 1 for outcome in outcomes) == 1
    assert sum(isinstance(outcome, VersionConflict) for outcome in outcomes) == 19
    assert len(await events.read_stream("kettle:1")) == 1


async def test_all_streams_have_one_order_without_holes(append, database, events):
    async def rolled_back():
        async with database.transaction() as transaction:
            event = NewEvent(uuid4(), Boiled())
            await events.append(transaction, "kettle:lost", 0, [event], events_at)
            raise asyncio.CancelledError

    events_at = (await database.first("SELECT now() AS now"))["now"]
    await asyncio.gather(
        *(append(f"kettle:{n}", 0, Filled(n), Boiled()) for n in range(10)),
        *(rolled_back() for _ in range(5)),
        return_exceptions=True,
    )
    replayed = [event async for event in events.replay()]
    assert [event.position for event in replayed] == list(range(1, 21))
    assert [event.position for event in await events.read_all(17)] == [18, 19, 20]
    assert [event.position for event in await events.read_all(3, limit=2)] == [4, 5]
    assert [event.position async for event in events.replay(15)] == list(range(16, 21))


async def test_a_reader_never_passes_an_event_that_is_still_on_its_way(database, events, clock):
    async with database.transaction() as slow:
        await events.append(slow, "kettle:1", 0, [NewEvent(uuid4(), Boiled())], clock())

        async def second():
            async with database.transaction() as transaction:
                event = NewEvent(uuid4(), Boiled())
                await events.append(transaction, "kettle:2", 0, [event], clock())

        task = asyncio.create_task(second())
        waiting = "SELECT count(*) AS n FROM pg_locks WHERE NOT granted"
        while (await database.first(waiting))["n"] == 0:
            await asyncio.sleep(0)
        assert await events.read_all() == []
    await task
    assert [each.stream_id for each in await events.read_all()] == ["kettle:1", "kettle:2"]


async def test_nothing_is_ever_changed_or_removed(append, pool):
    await append("kettle:1", 0, Boiled())
    for statement in (
        "UPDATE ledger.event_store SET event_data = '{}'",
        "DELETE FROM ledger.event_store",
        "TRUNCATE ledger.event_store",
    ):
        with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
            await pool.execute(statement)


async def test_an_event_of_another_program_is_named(append, database):
    await append("kettle:1", 0, Filled(1), Boiled())
    narrow = EventStore(database, Catalogue([Boiled]))
    with pytest.raises(UnreadableEvent, match=r"kettle\.filled"):
        await narrow.read_stream("kettle:1")
    assert len(await narrow.read_stream("kettle:1", 2)) == 1
