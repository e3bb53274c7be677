from pathlib import Path

import asyncpg
import pytest

from ledger.service import LedgerService
from server.backup.ledger_figures import ledger_figures
from server.backup.make import BackupRefused, copy_keys, make_backup
from server.backup.manifest import DUMP, MANIFEST, read_manifest
from server.backup.tools import ToolFailed, Tools


async def test_a_backup_says_what_is_in_it(
    ledger: LedgerService, pool: asyncpg.Pool, database_url: str, tmp_path: Path, tools: Tools
) -> None:
    target = tmp_path / "deep" / "backup"
    manifest = await make_backup(database_url, target, tools)
    assert manifest == read_manifest(target)
    async with pool.acquire() as connection:
        figures = await ledger_figures(connection)
    assert manifest.ledger_transactions == figures.transactions == 11
    assert manifest.ledger_entries == figures.entries
    assert "ledger/0001" in manifest.migrations
    assert target.stat().st_mode & 0o077 == 0
    assert {file.name for file in target.iterdir()} == {DUMP, MANIFEST}


async def test_nothing_is_overwritten(database_url: str, tmp_path: Path, tools: Tools) -> None:
    with pytest.raises(BackupRefused, match="exists already"):
        await make_backup(database_url, tmp_path, tools)
    with pytest.raises(BackupRefused, match="exists already"):
        copy_keys(tmp_path, tmp_path)


async def test_a_backup_that_failed_leaves_nothing(database_url: str, tmp_path: Path) -> None:
    with pytest.raises(ToolFailed):
        await make_backup(database_url, tmp_path / "backup", Tools(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_keys_are_copied_for_their_owner_alone(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "one.pem").write_text("secret")
    copy_keys(keys, tmp_path / "safe")
    assert (tmp_path / "safe" / "one.pem").read_text() == "secret"
    assert (tmp_path / "safe").stat().st_mode & 0o077 == 0
    copy_keys(tmp_path / "none", tmp_path / "empty")
    assert list((tmp_path / "empty").iterdir()) == []
