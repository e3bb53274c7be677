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


COMMITTED = """
SELECT sequence, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 AS committed_s
FROM ledger.event_log WHERE sequence = ANY ($1::bigint[])
"""


class Stamped:
    """The stream; notes by the clock when each batch was in it."""

    def __init__(self, redis: Redis) -> None:
        self._stream = LedgerEventStream(redis)
        self.published_s: dict[int, float] = {}

    async def publish(self, batches: Sequence[LogBatch], after: int) -> None:
        """Publish, then note the time."""
        await self._stream.publish(batches, after)
        now = time.time()
        self.published_s |= {batch.sequence: now for batch in batches}

    async def delays_ms(self, pool: asyncpg.Pool) -> list[float]:
        """From each batch's commit, as the database has noted it, to the stream."""
        rows = await pool.fetch(COMMITTED, list(self.published_s))
        return [(self.published_s[row[0]] - row[1]) * 1000 for row in rows]


async def stream_rounds(
    bench: Bench, people: People, in_flight: int, seconds: float, rounds: int
) -> tuple[list[float], list[float]]:
    """Of each round the delay's 99th percentile in milliseconds, and the gifts a second meanwhile.

    Before them is one that does not count.
    """
    delays_ms, per_s = [], []
    async with redis_server() as redis:
        sink = Stamped(redis)
        publisher = OutboxPublisher(bench.store, sink, SETTINGS.outbox)
        while await publisher.publish_once() is not Progress.CAUGHT_UP:
            pass  # what earlier rounds have left
        bench.wake = publisher.wake
        async with background("outbox", publisher.run):
            await bench.through_service(people, in_flight, seconds)
            for _ in range(rounds):
                sink.published_s.clear()
                round_ = await bench.through_service(people, in_flight, seconds)
                delays_ms.append(statistics.quantiles(await sink.delays_ms(bench.pool), n=100)[98])
                per_s.append(round_.per_s)
        bench.wake = lambda: None
        return delays_ms, per_s
