"""From the commit to the Redis stream: how long it takes while gifts pour in."""

import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
from redis.asyncio import Redis

from bench.ledger.load import SETTINGS, Bench, People
from bench.ledger.server import open_folder
from ledger.outbox import LogBatch, OutboxPublisher, Progress
from server.background import background
from server.bus import LedgerEventStream
from server.embedded.account import store_account
from server.embedded.folder import DataFolder
from server.embedded.redis import EmbeddedRedis


@asynccontextmanager
async def redis_server() -> AsyncIterator[Redis]:
    """A Redis of the bench's own."""
    with open_folder() as path:
        folder = DataFolder(path)
        await folder.acquire()
        redis = EmbeddedRedis(folder, store_account())
        await redis.start()
        async with Redis.from_url(redis.url) as client:
            yield client
        await redis.stop()
        folder.release()


class Stamped:
    """The stream; notes when each batch was in it, beside when its gifts were answered."""

    def __init__(self, redis: Redis) -> None:
        self._stream = LedgerEventStream(redis)
        self.delays_ms: list[float] = []

    async def publish(self, batches: Sequence[LogBatch], after: int) -> None:
        """Publish, then compare the clock with the batches' own time.

        `posted_at` is taken before the commit, so the commit itself is part of the delay.
        """
        await self._stream.publish(batches, after)
        now = time.time()
        self.delays_ms += [(now - batch.posted_at.timestamp()) * 1000 for batch in batches]


async def stream_p99_ms(
    pool: asyncpg.Pool, people: People, in_flight: int, seconds: float
) -> tuple[float, float]:
    """The delay's 99th percentile in milliseconds, and the gifts a second meanwhile."""
    async with redis_server() as redis:
        sink = Stamped(redis)
        publisher = OutboxPublisher(Bench(pool).store, sink, SETTINGS.outbox)
        bench = Bench(pool, publisher.wake)
        while await publisher.publish_once() is not Progress.CAUGHT_UP:
            pass  # what earlier rounds have left
        sink.delays_ms.clear()
        async with background("outbox", publisher.run):
            round_ = await bench.through_service(people, in_flight, seconds)
        await bench.ledger.close()
        return statistics.quantiles(sink.delays_ms, n=100)[98], round_.per_s
