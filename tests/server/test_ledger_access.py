"""Joining the ledger's database beside a running server, or starting it where none runs."""

from pathlib import Path

from pydantic import SecretStr

from config.stores import StoreSettings
from server.embedded.account import store_account
from server.embedded.folder import DataFolder
from server.embedded.postgres import EmbeddedPostgres
from server.ledger_access import CHECKPOINT_KEYS, open_ledger
from server.stores import open_stores

SEEN = "SELECT sequence FROM ledger.event_cursors WHERE consumer = 'seen'"


async def test_an_external_database_is_joined(database_url: str, data_dir: Path) -> None:
    settings = StoreSettings(data_dir=data_dir, database_url=SecretStr(database_url))
    async with open_ledger(settings) as access:
        assert await access.pool.fetchval("SELECT count(*) FROM ledger.chain") == 0
        assert access.keys == data_dir / CHECKPOINT_KEYS
    assert not (data_dir / "postgres").exists()


async def test_the_embedded_one_is_joined_while_a_server_runs(
    data_dir: Path, redis_url: str
) -> None:
    settings = StoreSettings(data_dir=data_dir, redis_url=SecretStr(redis_url))
    async with open_stores(settings) as stores:
        await stores.pool.execute("INSERT INTO ledger.event_cursors VALUES ('seen', 1)")
        async with open_ledger(settings) as access:
            assert await access.pool.fetchval(SEEN) == 1
        assert await stores.pool.fetchval(SEEN) == 1
    # Nobody runs it any more: it is started, and stopped behind us.
    async with open_ledger(settings) as access:
        assert await access.pool.fetchval(SEEN) == 1
    folder = DataFolder(data_dir)
    await folder.acquire(patience_s=5)
    folder.release()


async def test_a_folder_without_a_server_has_nothing_to_attach_to(data_dir: Path) -> None:
    folder = DataFolder(data_dir)
    postgres = EmbeddedPostgres(folder, store_account())
    assert not await postgres.attach()
    (data_dir / "postgres").mkdir()
    (data_dir / "postgres" / "postmaster.pid").write_text("1\nx\n1\n1\n")
    assert not await postgres.attach()
    (data_dir / "postgres" / "postmaster.pid").write_text("garbage")
    assert not await postgres.attach()
    folder.release()
