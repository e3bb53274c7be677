"""`sociallive backup` and `restore`, over external stores and beside a running embedded server."""

from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from config.settings import Settings
from config.stores import StoreSettings
from server.backup.manifest import read_manifest
from server.cli import COMMANDS, _parser
from server.commands import StartRefused
from server.stores import open_stores


def external(database_url: str, redis_url: str, data_dir: Path) -> Settings:
    stores = StoreSettings(
        data_dir=data_dir, database_url=SecretStr(database_url), redis_url=SecretStr(redis_url)
    )
    return Settings(stores=stores)


async def run(settings: Settings, *words: str) -> None:
    arguments = _parser().parse_args(words)
    await COMMANDS[arguments.command].run(settings, arguments)


async def test_external_stores(
    database_url: str,
    redis_url: str,
    data_dir: Path,
    pool: asyncpg.Pool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = external(database_url, redis_url, data_dir / "data")
    target, keys = str(data_dir / "backup"), str(data_dir / "keys")
    await run(settings, "backup", target)
    assert "Signing keys are not in it" in capsys.readouterr().out
    await run(settings, "backup", f"{target}2", "--keys", keys)
    assert Path(keys).is_dir()
    with pytest.raises(StartRefused, match="not empty"):
        await run(settings, "restore", target)
    with pytest.raises(StartRefused, match="is no backup"):
        await run(settings, "restore", str(data_dir))
    await run(settings, "restore", target, "--force")
    assert "the ledger adds up" in capsys.readouterr().out
    assert await pool.fetchval("SELECT count(*) FROM schema_migrations")


async def test_a_backup_that_is_refused_leaves_no_keys(
    database_url: str, redis_url: str, data_dir: Path
) -> None:
    (data_dir / "data" / "keys").mkdir(parents=True)
    settings = external(database_url, redis_url, data_dir / "data")
    target, keys = data_dir / "backup", data_dir / "safe"
    words = ("backup", str(target), "--keys", str(keys))
    target.mkdir()
    with pytest.raises(StartRefused, match="backup exists already"):
        await run(settings, *words)
    target.rmdir()
    nowhere = external(f"{database_url}_gone", redis_url, data_dir / "data")
    with pytest.raises(StartRefused, match="does not exist"):
        await run(nowhere, *words)
    assert not keys.exists()
    await run(settings, *words)
    assert (keys / "keys").is_dir()
    with pytest.raises(StartRefused, match="safe exists already"):
        await run(settings, "backup", f"{target}2", "--keys", str(keys))
    for each in (f"{target}2", f"{target}2/keys"):
        with pytest.raises(StartRefused, match="Keep the keys apart"):
            await run(settings, "backup", f"{target}2", "--keys", each)
    assert not Path(f"{target}2").exists()


@pytest.mark.slow
async def test_beside_a_running_server_with_embedded_stores(data_dir: Path) -> None:
    settings = Settings(stores=StoreSettings(data_dir=data_dir / "data"))
    async with open_stores(settings.stores) as stores:
        await stores.pool.execute(
            "INSERT INTO ledger.event_cursors (consumer, sequence) VALUES ('kept', 7)"
        )
        await run(settings, "backup", str(data_dir / "backup"))
    assert read_manifest(data_dir / "backup").migrations
    fresh = Settings(stores=StoreSettings(data_dir=data_dir / "fresh"))
    await run(fresh, "restore", str(data_dir / "backup"))
    async with open_stores(fresh.stores) as stores:
        kept = "SELECT sequence FROM ledger.event_cursors WHERE consumer = 'kept'"
        assert await stores.pool.fetchval(kept) == 7
        assert await stores.pool.fetchval("SELECT current_user") == "sociallive_app"
