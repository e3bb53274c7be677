"""The consumers as people look after them; routes and commands have the details."""

from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest
from redis.asyncio import Redis

from ledger.event_store.database import Database
from ledger.replays import ReplayStore
from server.bus import STREAM_KEY
from server.bus.dead_letters import returned_key
from server.consumers import AML, KAFKA, EventConsumers, event_source
from server.gateway.refusals import NotFound


@pytest.fixture
def replays(pool: asyncpg.Pool) -> ReplayStore:
    database = Database(pool, acquire_timeout_s=5, statement_timeout_s=5)
    return ReplayStore(database, clock=lambda: datetime.now(UTC), new_id=uuid4)


async def test_states_of_consumers_that_never_ran(replays: ReplayStore, redis: Redis) -> None:
    states = await EventConsumers(replays, redis).states()
    assert [(each.consumer, each.finished, each.dead_letters) for each in states] == [
        (AML, None, 0),
        (KAFKA, None, 0),
    ]


async def test_all_letters_are_more_than_a_page(
    replays: ReplayStore, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.consumers.LETTERS_AT_ONCE", 2)
    for number in range(5):
        await redis.xadd(f"{STREAM_KEY}:dead:aml", {"events": str(number)})
    letters = await EventConsumers(replays, redis).all_letters(AML)
    assert [each.payload for each in letters] == [b"4", b"3", b"2", b"1", b"0"]


async def test_a_stranger_is_refused(replays: ReplayStore, redis: Redis) -> None:
    consumers = EventConsumers(replays, redis)
    with pytest.raises(NotFound):
        await consumers.replay("chat", after=0, until=None, reason="x")
    with pytest.raises(NotFound):
        await consumers.all_letters("chat")


async def test_a_source_reads_the_stream_and_writes_its_cursor(
    replays: ReplayStore, redis: Redis
) -> None:
    await redis.xadd(STREAM_KEY, {"events": "[]", "sequence": 4, "after": 0})
    source = event_source(redis, replays, AML, member="a", claim_idle_ms=1_000)
    [entry] = await source.read(max_entries=5, block_ms=1)
    await source.ack([entry.entry_id])
    heir = event_source(redis, replays, AML, member="b", claim_idle_ms=1_000)
    assert await heir.read(max_entries=5, block_ms=1) == []
    assert await replays.cursor(AML) == 4


async def test_letters_that_were_sent_back_and_handled_are_kept_nowhere(
    replays: ReplayStore, redis: Redis
) -> None:
    consumers = EventConsumers(replays, redis)
    for number in range(3):
        await redis.xadd(f"{STREAM_KEY}:dead:aml", {"events": str(number)})
    for letter in await consumers.all_letters(AML):
        await consumers.send_back(AML, letter.letter_id)
    source = event_source(redis, replays, AML, member="a", claim_idle_ms=1_000)
    entries = await source.read(max_entries=5, block_ms=1)
    assert len(entries) == 3
    await source.ack([each.entry_id for each in entries[:2]])
    await source.dead_letter(entries[2], "again")
    assert await redis.xlen(returned_key(AML)) == 0
    assert len(await consumers.all_letters(AML)) == 1


@pytest.mark.parametrize("cursor", [3, 6])
async def test_a_gap_is_replayed_whole_though_the_publisher_s_cursor_is_written_later(
    replays: ReplayStore, redis: Redis, pool: asyncpg.Pool, cursor: int
) -> None:
    await pool.executemany(
        "INSERT INTO ledger.event_log (sequence, writer, event_count, posted_at, events)"
        " VALUES ($1, 1, 1, now(), $2)",
        [(number, f"[{number}]") for number in range(1, 10)],
    )
    await pool.execute("UPDATE ledger.event_cursors SET sequence = $1", cursor)
    await replays.move_cursor(AML, 4)
    # Redis was emptied since, and the publisher, which is at 9, has yet to write down where.
    await redis.xadd(STREAM_KEY, {"events": "[9]", "sequence": 9, "after": 8})
    source = event_source(redis, replays, AML, member="a", claim_idle_ms=60_000)
    handled = []
    for _ in range(4):
        entries = await source.read(max_entries=5, block_ms=1)
        handled += [each.payload for each in entries]
        await source.ack([each.entry_id for each in entries])
    assert handled == [b"[%d]" % number for number in range(5, 10)]
