"""Plain reads of the stream's end on a real Redis."""

import asyncio
from collections.abc import AsyncIterator

from redis.asyncio import Redis

from server.bus import STREAM_KEY, LedgerEventStream, TailReader
from tests.support.gifts import log_batch


async def publish(redis: Redis, *payloads: bytes) -> None:
    stream = LedgerEventStream(redis)
    for sequence, payload in enumerate(payloads):
        await stream.publish([log_batch(payload, sequence)], sequence - 1)


async def take(entries: AsyncIterator[bytes], count: int) -> list[bytes]:
    return [await anext(entries) for _ in range(count)]


async def test_only_what_comes_after_the_opening_is_read(redis: Redis) -> None:
    await publish(redis, b"[1]")
    tail = TailReader(redis)
    await tail.open()
    await publish(redis, b"[2]", b"[3]")
    assert await take(tail.entries(), 2) == [b"[2]", b"[3]"]


async def test_an_empty_stream_is_read_from_its_beginning(redis: Redis) -> None:
    tail = TailReader(redis)
    await tail.open()
    await publish(redis, b"[1]")
    assert await take(tail.entries(), 1) == [b"[1]"]


async def test_entries_open_by_themselves(redis: Redis) -> None:
    await publish(redis, b"[1]")
    entries = TailReader(redis).entries()
    first = asyncio.create_task(anext(entries))
    while not (await redis.info("clients"))["blocked_clients"]:
        await asyncio.sleep(0)
    await publish(redis, b"[2]")
    assert await first == b"[2]"


async def test_every_reader_gets_every_entry(redis: Redis) -> None:
    tails = [TailReader(redis), TailReader(redis)]
    for tail in tails:
        await tail.open()
    await publish(redis, b"[1]", b"[2]")
    for tail in tails:
        assert await take(tail.entries(), 2) == [b"[1]", b"[2]"]


async def test_a_second_pass_goes_on_behind_the_first(redis: Redis) -> None:
    tail = TailReader(redis)
    await tail.open()
    await publish(redis, b"[1]", b"[2]")
    assert await take(tail.entries(), 1) == [b"[1]"]
    assert await take(tail.entries(), 1) == [b"[2]"]


async def test_nothing_is_missed_while_redis_is_away(line, far_redis: Redis, redis: Redis) -> None:
    tail = TailReader(far_redis)
    await tail.open()
    entries = tail.entries()
    await publish(redis, b"[1]")
    assert await anext(entries) == b"[1]"
    await line.cut()
    waiting = asyncio.create_task(anext(entries))
    await publish(redis, b"[2]")
    await line.mend()
    assert await waiting == b"[2]"


async def test_a_redis_that_lost_its_last_entries_is_read_on(
    line, far_redis: Redis, redis: Redis
) -> None:
    await publish(redis, b"[1]")
    await redis.xadd(STREAM_KEY, {b"events": b"[2]"}, id="9999999999999-0")
    tail = TailReader(far_redis)
    await tail.open()
    entries = tail.entries()
    waiting = asyncio.create_task(anext(entries))
    while not (await redis.info("clients"))["blocked_clients"]:
        await asyncio.sleep(0)
    await line.cut()
    await redis.delete(STREAM_KEY)
    await publish(redis, b"[1]")
    looked = (await redis.info("commandstats")).get("cmdstat_xrevrange", {"calls": 0})["calls"]
    await line.mend()
    while (await redis.info("commandstats"))["cmdstat_xrevrange"]["calls"] == looked:
        await asyncio.sleep(0)
    await publish(redis, b"[3]")
    assert await waiting == b"[3]"
