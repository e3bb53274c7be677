"""Reads from a replica that is fit, behind, or away; a second pool stands for the replica."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from server.database import create_pool
from server.replica import Reads
from tests.support.line import Line

AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


@pytest.fixture
async def line(database_url: str) -> AsyncIterator[Line]:
    async with Line(database_url) as line:
        yield line


@pytest.fixture
async def replica(line: Line) -> AsyncIterator[asyncpg.Pool]:
    pool = await create_pool(line.url, least=0)
    yield pool
    pool.terminate()


async def where(reads: Reads) -> str:
    before = reads.from_replica
    async with reads.acquire(timeout=2) as connection:
        assert await connection.fetchval("SELECT 1") == 1
    return "replica" if reads.from_replica > before else "database"


async def test_a_fit_replica_is_read(pool: asyncpg.Pool, replica: asyncpg.Pool) -> None:
    reads = Reads(pool, replica, max_lag_s=10)
    assert [await where(reads) for _ in range(3)] == ["replica"] * 3


async def test_without_a_replica_the_database_is_read(pool: asyncpg.Pool) -> None:
    assert await where(Reads(pool, None, max_lag_s=10)) == "database"


async def test_a_replica_that_is_behind_is_not_read(
    pool: asyncpg.Pool, replica: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.replica.LAG", "SELECT 11.0::float8")
    monkeypatch.setattr("server.replica.LOOK_S", 0)
    reads = Reads(pool, replica, max_lag_s=10)
    assert await where(reads) == "database"
    monkeypatch.setattr("server.replica.LAG", "SELECT 9.0::float8")
    assert await where(reads) == "replica"


async def test_a_replica_that_is_away_is_left_alone_for_a_while(
    pool: asyncpg.Pool, replica: asyncpg.Pool, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = Reads(pool, replica, max_lag_s=10)
    assert await where(reads) == "replica"
    await line.cut()
    with pytest.raises(AWAY):  # the read under way fails, and is the caller's to try again
        await where(reads)
    assert await where(reads) == "database"
    await line.mend()
    assert await where(reads) == "database"
    monkeypatch.setattr(reads, "_look_at", 0.0)
    assert await where(reads) == "replica"
