"""The ledger's sink on a real Redis."""

import pytest
from redis import exceptions
from redis.asyncio import Redis

from server.bus import STREAM_KEY, LedgerEventStream
from server.bus.publisher import MIN_ENTRIES


async def test_one_entry_holds_the_batch_in_the_field_of_the_protocol(redis: Redis) -> None:
    stream = LedgerEventStream(redis)
    await stream.publish(b'[{"sequence":17}]', last_sequence=17)
    [(_, fields)] = await redis.xrange("sociallive:ledger:events")
    assert fields == {b"events": b'[{"sequence":17}]'}
    assert stream.last_sequence == 17


async def test_the_stream_keeps_within_its_memory(redis: Redis) -> None:
    stream = LedgerEventStream(redis, max_bytes=1)
    for sequence in range(MIN_ENTRIES + 300):
        await stream.publish(b"[]", sequence)
    # Redis trims by whole nodes of at most 100 entries.
    assert MIN_ENTRIES <= await redis.xlen(STREAM_KEY) <= MIN_ENTRIES + 100


async def test_larger_batches_make_fewer_entries_fit(redis: Redis) -> None:
    stream = LedgerEventStream(redis, max_bytes=2_000 * (100 + 64))
    for sequence in range(2_300):
        await stream.publish(b"x" * 100, sequence)
    small = await redis.xlen(STREAM_KEY)
    assert 2_000 <= small <= 2_100
    for sequence in range(300):
        await stream.publish(b"x" * 200, sequence)
    assert await redis.xlen(STREAM_KEY) < small


async def test_a_redis_that_is_away_is_said_so(line, far_redis: Redis) -> None:
    await line.cut()
    stream = LedgerEventStream(far_redis)
    with pytest.raises((exceptions.ConnectionError, OSError)):
        await stream.publish(b"[]", 1)
    assert stream.last_sequence == 0
