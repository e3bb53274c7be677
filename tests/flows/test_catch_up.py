"""A consumer that was stopped while Redis trimmed, and then lost, what it had not read."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest
from redis.asyncio import Redis

from compliance.aml.store import AmlStore
from compliance.aml.worker import AmlWorker
from config.aml import AmlSettings
from config.ledger import LedgerSettings
from ledger.event_store.database import Database
from ledger.gifts import GiftRequest
from ledger.outbox import OutboxPublisher
from ledger.replays import ReplayStore
from ledger.service import LedgerService
from ledger.store import LedgerStore
from server.background import background
from server.bus import STREAM_KEY, LedgerEventStream
from server.consumers import AML, event_source

GIFTS = 120
PRICE = 10
COUNTED = "SELECT coalesce(sum(amount_minor), 0)::bigint FROM compliance.aml_edges"


class Silent:
    def observe(self, operation: str, seconds: float, outcome: str) -> None:
        pass


class Stage:
    """A ledger, its publisher, and an AML worker that is started and stopped."""

    def __init__(self, pool: asyncpg.Pool, redis: Redis) -> None:
        self._pool = pool
        self._redis = redis
        settings = LedgerSettings()
        store = LedgerStore(pool, settings)
        self.outbox = OutboxPublisher(store, LedgerEventStream(redis), settings.outbox)
        self.ledger = LedgerService(settings, store, wake=self.outbox.wake, observer=Silent())
        self.payer, self.payee = uuid4(), uuid4()

    async def give(self, gifts: int) -> None:
        for _ in range(gifts):
            await self.ledger.send_gift(
                GiftRequest(uuid4(), self.payer, "Ada", self.payee, uuid4(), "rose", 1)
            )

    async def published(self) -> None:
        async with asyncio.timeout(30):
            while not await self._pool.fetchval(
                "SELECT sequence = (SELECT max(sequence) FROM ledger.event_log)"
                " FROM ledger.event_cursors WHERE consumer = 'stream'"
            ):
                await asyncio.sleep(0.02)

    def worker(self) -> AmlWorker:
        database = Database(self._pool, acquire_timeout_s=5, statement_timeout_s=5)
        replays = ReplayStore(database, clock=lambda: datetime.now(UTC), new_id=uuid4)
        source = event_source(self._redis, replays, AML, member=str(uuid4()), claim_idle_ms=60_000)
        settings = AmlSettings(block_ms=20, batch_entries=5)
        return AmlWorker(source, AmlStore(self._pool), settings, clock=lambda: datetime.now(UTC))

    async def counted(self, gifts: int) -> None:
        """Return once the checks have added up so many gifts, each once."""
        async with asyncio.timeout(60):
            while (await self._pool.fetchval(COUNTED)) < gifts * PRICE:
                await asyncio.sleep(0.02)
        assert await self._pool.fetchval(COUNTED) == gifts * PRICE


@pytest.fixture
async def stage(pool: asyncpg.Pool, redis: Redis) -> Stage:
    stage = Stage(pool, redis)
    await stage.ledger.grant(
        request_id=uuid4(),
        user_id=stage.payer,
        amount_minor=PRICE * GIFTS * 3,
        reason="test",
        granted_by=UUID(int=1),
    )
    return stage


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["trimmed", "emptied"])
async def test_what_redis_lost_meanwhile_is_counted_once(
    stage: Stage, redis: Redis, pool: asyncpg.Pool, loss: str
) -> None:
    async with background("outbox", stage.outbox.run):
        async with background("aml", stage.worker().run):
            await stage.give(GIFTS)
            await stage.counted(GIFTS)
        await stage.give(GIFTS)
        await stage.published()
        if loss == "trimmed":
            await redis.xtrim(STREAM_KEY, maxlen=3, approximate=False)
        else:
            await redis.flushall()
        await stage.give(GIFTS)
        async with background("aml", stage.worker().run):
            await stage.counted(3 * GIFTS)
    assert await pool.fetchval("SELECT count(*) FROM ledger.replays WHERE consumer = 'aml'") >= 1
    await stage.ledger.close()
