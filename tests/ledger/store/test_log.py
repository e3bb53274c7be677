"""The log's turns: one publisher at a time, and a page that says where it stands."""

import asyncio
from uuid import uuid4

from ledger.store.log import turn


async def test_a_page_holds_batches_behind_the_cursor(store, fund, ledger):
    for _ in range(3):
        await fund(uuid4(), 5)
    async with turn(store.calls) as first:
        page = await first.read(2)
        assert [batch.event_count for batch in page.batches] == [1, 1]
        assert page.cursor == 0
        assert page.head == page.batches[-1].sequence + 1
        assert page.batches[0].events.startswith(b"[{")
        assert page.now >= page.batches[0].posted_at
        await first.advance(page.batches[-1].sequence)
    async with turn(store.calls) as second:
        rest = await second.read(2)
        assert rest.cursor == page.batches[-1].sequence
        assert len(rest.batches) == 1
        assert await second.next_transaction() > rest.oldest_running - 1


async def test_a_turn_that_fails_leaves_the_cursor(store, fund):
    await fund(uuid4(), 5)
    try:
        async with turn(store.calls) as failing:
            page = await failing.read(1)
            await failing.advance(page.batches[0].sequence)
            raise ConnectionError
    except ConnectionError:
        pass
    async with turn(store.calls) as again:
        assert (await again.read(1)).cursor == 0


async def test_publishers_take_turns(store):
    entered = []

    async def take(name):
        async with turn(store.calls) as held:
            await held.read(1)
            entered.append(name)
            await held.next_transaction()
            assert entered[-1] == name

    await asyncio.gather(*(take(name) for name in "abc"))
    assert sorted(entered) == ["a", "b", "c"]
