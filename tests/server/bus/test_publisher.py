"""The ledger's sink on a real Redis."""

import pytest
from redis import exceptions
from redis.asyncio import Redis

from ledger.outbox import SinkCutShort
from server.bus import STREAM_KEY, LedgerEventStream
from server.bus.publisher import MIN_ENTRIES
from tests.support.gifts import log_batch


async def test_one_entry_holds_the_batch_in_the_field_of_the_protocol(redis: Redis) -> None:
    stream = LedgerEventStream(redis)
    await stream.publish([log_batch(b"[1]", 17), log_batch(b"[2,3]", 20)], after=15)
    entries = await redis.xrange("sociallive:ledger:events")
    assert [fields for _, fields in entries] == [
        {b"events": b"[1]", b"sequence": b"17", b"after": b"15"},
        {b"events": b"[2,3]", b"sequence": b"20", b"after": b"17"},
    ]
    assert stream.last_sequence == 20


async def test_the_stream_keeps_within_its_memory(redis: Redis) -> None:
    stream = LedgerEventStream(redis, max_bytes=1)
    for sequence in range(MIN_ENTRIES + 300):
        await stream.publish([log_batch(b"[]", sequence)], sequence - 1)
    # Redis trims by whole nodes of at most 100 entries.
    assert MIN_ENTRIES <= await redis.xlen(STREAM_KEY) <= MIN_ENTRIES + 100


async def test_larger_batches_make_fewer_entries_fit(redis: Redis) -> None:
    stream = LedgerEventStream(redis, max_bytes=2_000 * (100 + 64))
    for sequence in range(2_300):
        await stream.publish([log_batch(b"x" * 100, sequence)], sequence - 1)
    small = await redis.xlen(STREAM_KEY)
    assert 2_000 <= small <= 2_100
    for sequence in range(300):
        await stream.publish([log_batch(b"x" * 200, sequence)], sequence - 1)
    assert await redis.xlen(STREAM_KEY) < small


async def test_a_redis_that_is_away_is_said_so(line, far_redis: Redis) -> None:
    await line.cut()
    stream = LedgerEventStream(far_redis)
    with pytest.raises((exceptions.ConnectionError, OSError)):
        await stream.publish([log_batch(b"[]")], 0)
    assert stream.last_sequence == 0


async def test_a_stream_that_lost_its_end_is_said_so_and_left_alone(redis: Redis) -> None:
    stream = LedgerEventStream(redis)
    await stream.publish([log_batch(b"[1]", 1), log_batch(b"[2]", 2), log_batch(b"[3]", 3)], 0)
    newest = (await redis.xrevrange(STREAM_KEY, count=1))[0][0]
    await redis.xdel(STREAM_KEY, newest)  # as a Redis that was killed forgets
    with pytest.raises(SinkCutShort) as caught:
        await stream.publish([log_batch(b"[4]", 4)], after=3)
    assert caught.value.sequence == 2
    assert await redis.xlen(STREAM_KEY) == 2
    await stream.publish([log_batch(b"[3]", 3), log_batch(b"[4]", 4)], after=2)
    await stream.publish([log_batch(b"[4]", 4)], after=3)  # again: nothing is missing
    entries = await redis.xrange(STREAM_KEY)
    assert [fields[b"sequence"] for _, fields in entries] == [b"1", b"2", b"3", b"4", b"4"]


async def test_an_empty_stream_and_entries_of_old_are_taken_as_they_are(redis: Redis) -> None:
    stream = LedgerEventStream(redis)
    await stream.publish([log_batch(b"[9]", 9)], after=8)
    await redis.xadd(STREAM_KEY, {"events": "[]"})
    await stream.publish([log_batch(b"[12]", 12)], after=11)
    assert await redis.xlen(STREAM_KEY) == 3
