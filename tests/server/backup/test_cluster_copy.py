"""Base backups: what is refused, and that a changed file is seen."""

from pathlib import Path

import pytest

from server.backup.cluster_copy import ABOUT, CLUSTER, check_base_backup, make_base_backup
from server.backup.make import BackupRefused
from server.backup.manifest import BackupDamaged
from server.backup.tools import ToolFailed, Tools
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.redis import EmbeddedRedis


async def test_a_base_backup_is_whole_until_a_file_changes(
    stores: tuple[EmbeddedPostgres, EmbeddedRedis], tools: Tools, tmp_path: Path
) -> None:
    target = tmp_path / "backups" / "base"
    complete_at = await make_base_backup(stores[0].admin_url, target, tools)
    assert await check_base_backup(target, tools) == complete_at
    with pytest.raises(BackupRefused, match="exists already"):
        await make_base_backup(stores[0].admin_url, target, tools)
    (target / CLUSTER / "PG_VERSION").write_text("1")
    with pytest.raises(BackupDamaged, match="PG_VERSION"):
        await check_base_backup(target, tools)
    (target / ABOUT).write_text("{}")
    with pytest.raises(BackupDamaged, match="can't be read"):
        await check_base_backup(target, tools)
    (target / ABOUT).unlink()
    with pytest.raises(BackupDamaged, match="is no base backup"):
        await check_base_backup(target, tools)


async def test_what_can_t_be_made_leaves_nothing(
    stores: tuple[EmbeddedPostgres, EmbeddedRedis], tools: Tools, tmp_path: Path
) -> None:
    wrong = stores[0].admin_url.replace("postgres:", "nobody:", 1)
    with pytest.raises(ToolFailed):
        await make_base_backup(wrong, tmp_path / "base", tools)
    assert list(tmp_path.iterdir()) == []
