import asyncio
import logging

import asyncpg
import pytest
from redis.asyncio import Redis

from compliance.aml.store import AmlStore
from server.outages import OUTAGES

NOWHERE = "127.0.0.1:1"


async def test_a_database_that_is_away_is_an_outage(database_url: str) -> None:
    with pytest.raises(OUTAGES):
        await asyncpg.connect(f"postgresql://{NOWHERE}/none", timeout=2)
    pool = await asyncpg.create_pool(database_url, min_size=1)
    await pool.close()
    with pytest.raises(OUTAGES):
        await pool.fetchval("SELECT 1")
    with pytest.raises(OUTAGES):
        await AmlStore(pool).alerts(None, None, 1)


async def test_a_connection_that_was_killed_is_an_outage(
    database_url: str, pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture
) -> None:
    victim = await asyncpg.connect(database_url)
    running = asyncio.create_task(victim.fetchval("SELECT pg_sleep(60)"))
    pid = victim.get_server_pid()
    while not await pool.fetchval(
        "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $1", pid
    ):
        pass
    await pool.execute("SELECT pg_terminate_backend($1)", pid)
    with caplog.at_level(logging.CRITICAL), pytest.raises(OUTAGES):
        await running


async def test_a_standby_that_takes_no_writes_is_an_outage(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        with pytest.raises(OUTAGES):
            await connection.execute("CREATE TABLE public.never (n integer)")


async def test_redis_that_is_away_is_an_outage() -> None:
    client: Redis = Redis.from_url(f"redis://{NOWHERE}")
    with pytest.raises(OUTAGES):
        await client.ping()
    await client.aclose()


async def test_redis_that_takes_no_writes_is_an_outage(redis: Redis) -> None:
    for refuse, allow in (
        ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
    ):
        await redis.execute_command(*refuse.split())
        try:
            with pytest.raises(OUTAGES):
                await redis.set("a", "b")
            with pytest.raises(OUTAGES):
                await redis.eval("return redis.call('SET', KEYS[1], 'b')", 1, "a")
        finally:
            await redis.execute_command(*allow.split())


def test_mistakes_are_no_outages() -> None:
    for mistake in (asyncpg.UniqueViolationError, asyncpg.UndefinedTableError, KeyError):
        assert not issubclass(mistake, OUTAGES)
