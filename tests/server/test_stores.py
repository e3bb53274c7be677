"""Opening the stores: external ones by URL."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from config.stores import StoreSettings
from server.embedded.folder import DataFolder, DataFolderBusy
from server.stores import REDIS_CONNECTIONS, open_stores


async def test_external_stores_are_used_and_migrated(
    database_url: str, redis_url: str, data_dir: Path
) -> None:
    settings = StoreSettings(
        data_dir=data_dir, database_url=SecretStr(database_url), redis_url=SecretStr(redis_url)
    )
    async with open_stores(settings) as stores:
        assert stores.migrated == ()  # the fixture's database has them all
        assert await stores.pool.fetchval("SELECT count(*) > 0 FROM schema_migrations")
        assert await stores.redis.ping()
    assert not (data_dir / "postgres").exists()
    assert not (data_dir / "redis").exists()


async def test_more_at_once_than_redis_has_connections_wait_for_one(
    database_url: str, redis_url: str, data_dir: Path
) -> None:
    settings = StoreSettings(
        data_dir=data_dir, database_url=SecretStr(database_url), redis_url=SecretStr(redis_url)
    )
    async with open_stores(settings) as stores:
        before = int((await stores.redis.info("clients"))["connected_clients"])
        assert all(await asyncio.gather(*(stores.redis.ping() for _ in range(1_000))))
        after = int((await stores.redis.info("clients"))["connected_clients"])
        assert after - before < REDIS_CONNECTIONS


OFF = """
DO $$ BEGIN
    EXECUTE (SELECT string_agg(format('DROP TABLE %s;', inhrelid::regclass), '') FROM pg_inherits
             WHERE inhparent = 'ledger.event_log'::regclass
               AND inhrelid::regclass::text ~ '\\d{4}_\\d\\d$');
END $$;
INSERT INTO ledger.event_log (sequence, writer, event_count, posted_at, events)
SELECT n, 1, 1, now(), '[]' FROM generate_series(1, 20000) AS n;
"""
"""As a server finds its months that was off for long, once another has posted something."""


async def test_months_are_there_before_anything_is_posted(
    database_url: str,
    redis_url: str,
    data_dir: Path,
    pool: asyncpg.Pool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = StoreSettings(
        data_dir=data_dir, database_url=SecretStr(database_url), redis_url=SecretStr(redis_url)
    )
    await pool.execute(OFF)
    strays = "SELECT count(*) FROM ledger.event_log_default"
    async with pool.acquire() as reader, reader.transaction():
        assert await reader.fetchval(strays) == 20_000
        async with open_stores(settings):  # it starts, whoever reads
            assert "some months are not there yet" in caplog.text
    async with open_stores(settings) as stores:
        assert await stores.pool.fetchval(strays) == 0
        assert await stores.pool.fetchval("SELECT count(*) FROM ledger.event_log") == 20_000
        assert not await stores.pool.fetch("SELECT FROM ledger.missing_months(3)")


async def test_a_folder_in_use_is_refused(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = DataFolder(data_dir)
    await other.acquire()
    monkeypatch.setattr(DataFolder.acquire, "__defaults__", (0.0,))
    with pytest.raises(DataFolderBusy):
        async with open_stores(StoreSettings(data_dir=data_dir)):
            pass
    other.release()
