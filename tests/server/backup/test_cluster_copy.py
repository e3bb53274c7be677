"""Base backups: what is refused, and that a changed file is seen."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from config.stores import StoreSettings
from server.backup.cluster_copy import ABOUT, CLUSTER, check_base_backup, make_base_backup
from server.backup.make import BackupRefused
from server.backup.manifest import BackupDamaged
from server.backup.tools import ToolFailed, Tools
from server.embedded.account import store_account
from server.embedded.archive import archiving
from server.embedded.folder import DataFolder
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.redis import EmbeddedRedis


@pytest.fixture
async def admin_url(data_dir: Path) -> AsyncIterator[str]:
    """Of a server that archives."""
    folder, account = DataFolder(data_dir / "data"), store_account()
    settings = StoreSettings(archive_dir=data_dir / "wal")
    postgres = EmbeddedPostgres(folder, account, archiving(settings, account))
    await postgres.start()
    yield postgres.admin_url
    await postgres.stop()
    folder.release()


@pytest.mark.slow
async def test_a_base_backup_is_whole_until_a_file_changes(
    admin_url: str, tools: Tools, tmp_path: Path
) -> None:
    target = tmp_path / "backups" / "base"
    complete_at = await make_base_backup(admin_url, target, tools)
    assert await check_base_backup(target, tools) == complete_at
    with pytest.raises(BackupRefused, match="exists already"):
        await make_base_backup(admin_url, target, tools)
    (target / CLUSTER / "PG_VERSION").write_text("1")
    with pytest.raises(BackupDamaged, match="PG_VERSION"):
        await check_base_backup(target, tools)
    (target / ABOUT).write_text("{}")
    with pytest.raises(BackupDamaged, match="can't be read"):
        await check_base_backup(target, tools)
    (target / ABOUT).unlink()
    with pytest.raises(BackupDamaged, match="is no base backup"):
        await check_base_backup(target, tools)


async def test_without_an_archive_there_is_no_base_backup(
    stores: tuple[EmbeddedPostgres, EmbeddedRedis], tools: Tools, tmp_path: Path
) -> None:
    with pytest.raises(BackupRefused, match="Nothing is archived"):
        await make_base_backup(stores[0].admin_url, tmp_path / "base", tools)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
async def test_a_backup_that_fails_leaves_nothing(
    admin_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = Tools(None)
    run = tools.run

    async def fail(program: str, arguments: Sequence[str], url: str) -> None:
        await run(program, [*arguments, "--compress=nonsense"], url)

    monkeypatch.setattr(tools, "run", fail)
    with pytest.raises(ToolFailed, match="pg_basebackup"):
        await make_base_backup(admin_url, tmp_path / "backups" / "base", tools)
    assert list((tmp_path / "backups").iterdir()) == []
