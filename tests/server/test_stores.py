"""Opening the stores: external ones by URL."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from config.stores import StoreSettings
from server.embedded.folder import DataFolder, DataFolderBusy
from server.stores import open_stores


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


async def test_a_folder_in_use_is_refused(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = DataFolder(data_dir)
    await other.acquire()
    monkeypatch.setattr(DataFolder.acquire, "__defaults__", (0.0,))
    with pytest.raises(DataFolderBusy):
        async with open_stores(StoreSettings(data_dir=data_dir)):
            pass
    other.release()
