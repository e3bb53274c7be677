"""The stream's end, read backwards from a real Redis."""

import hashlib

from redis.asyncio import Redis

from server.bus import STREAM_KEY, LedgerEventStream, NewestBatches
from server.bus.newest import PAGE
from tests.support.gifts import log_batch


def digest(payload: bytes) -> bytes:
    return hashlib.sha256(payload).digest()


async def test_an_empty_stream_has_none(redis: Redis) -> None:
    assert await NewestBatches(redis).newest(10) == {}


async def test_the_newest_are_read_over_pages(redis: Redis) -> None:
    count = 2 * PAGE + 5
    payloads = [b"[%d]" % number for number in range(1, count + 1)]
    await LedgerEventStream(redis).publish(
        [log_batch(payload, number) for number, payload in enumerate(payloads, 1)], 0
    )
    whole = {number: digest(payload) for number, payload in enumerate(payloads, 1)}
    newest = NewestBatches(redis)
    assert await newest.newest(10_000) == whole
    assert await newest.newest(PAGE + 1) == {
        number: whole[number] for number in range(count - PAGE, count + 1)
    }


async def test_of_a_batch_that_came_again_the_last_one_counts(redis: Redis) -> None:
    for payload in (b"old", b"new"):
        await redis.xadd(STREAM_KEY, {"events": payload, "sequence": "7", "after": "6"})
    await redis.xadd(STREAM_KEY, {"events": b"of nobody"})
    assert await NewestBatches(redis).newest(10) == {7: digest(b"new")}
