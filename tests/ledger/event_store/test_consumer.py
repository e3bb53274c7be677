"""Consumers: where they stopped, both or neither, and reading again."""

import asyncio

import pytest

from ledger.event_store.consumer import Consumer, ConsumerBusy
from ledger.event_store.store import CursorFigures
from tests.support.kettles import Boiled, Filled


@pytest.fixture
async def reader(database, events, clock):
    """A consumer that writes what it saw into a table, three events a page."""
    await database.fetch("CREATE TABLE public.seen (position bigint)")

    async def handle(transaction, page):
        for event in page:
            await transaction.execute("INSERT INTO public.seen VALUES ($1)", event.position)
            if event.data == Filled(13):
                raise ValueError("poison")

    consumer = Consumer("tea", database, events, handle, clock=clock, page_events=3)
    await consumer.open()
    return consumer


async def seen(database):
    return [row["position"] for row in await database.fetch("SELECT position FROM public.seen")]


async def test_it_goes_on_where_it_stopped(reader, append, database, events, clock):
    await append("kettle:1", 0, *(Filled(n) for n in range(5)))
    assert [await reader.take() for _ in range(3)] == [3, 2, 0]
    await append("kettle:2", 0, Boiled())
    await reader.open()  # as at every start
    assert await reader.take() == 1
    assert await seen(database) == [1, 2, 3, 4, 5, 6]
    assert await events.cursors() == [CursorFigures("tea", 6, 0, clock())]


async def test_what_it_wrote_and_its_cursor_move_together(reader, append, database, events):
    await append("kettle:1", 0, Filled(1), Filled(13))
    with pytest.raises(ValueError, match="poison"):
        await reader.take()
    assert await seen(database) == []
    [cursor] = await events.cursors()
    assert (cursor.position, cursor.behind) == (0, 2)


async def test_it_reads_again_from_any_point(reader, append, database):
    await append("kettle:1", 0, *(Filled(n) for n in range(3)))
    await reader.take()
    await reader.rewind(1)
    assert await reader.take() == 2
    assert await seen(database) == [1, 2, 3, 2, 3]


async def test_one_process_reads_at_a_time(reader, append, database, events, clock):
    await append("kettle:1", 0, Boiled())
    reading, release = asyncio.Event(), asyncio.Event()

    async def slow(transaction, page):
        reading.set()
        await release.wait()

    other = Consumer("tea", database, events, slow, clock=clock)
    task = asyncio.create_task(other.take())
    await reading.wait()
    assert await reader.take() == 0
    with pytest.raises(ConsumerBusy):
        await reader.rewind(0)
    release.set()
    assert await task == 1
    assert await reader.take() == 0
    assert await seen(database) == []
