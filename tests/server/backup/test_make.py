from pathlib import Path

import asyncpg
import pytest

from ledger.service import LedgerService
from server.backup.ledger_figures import ledger_figures
from server.backup.make import KEYS, BackupRefused, copy_keys, make_backup
from server.backup.manifest import DUMP, MANIFEST, read_manifest
from server.backup.tools import ToolFailed, Tools
from server.ledger_access import CHECKPOINT_KEYS


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


async def test_what_others_are_given_up_for_is_no_end_of_a_backup(
    pool: asyncpg.Pool, database_url: str, tmp_path: Path, tools: Tools
) -> None:
    """The connection that keeps the moment waits in its transaction for pg_dump."""
    for setting in ("idle_in_transaction_session_timeout", "statement_timeout"):
        database = database_url.rpartition("/")[2]
        await pool.execute(f"ALTER DATABASE {database} SET {setting} = '20ms'")
    assert (await make_backup(database_url, tmp_path / "backup", tools)).ledger_sequence == 0


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
    data = tmp_path / "data"
    for name in ("keys", "checkpoint-keys", "secrets"):
        (data / name).mkdir(parents=True)
        (data / name / "one.pem").write_text(name)
    copy_keys(data, tmp_path / "safe")
    assert {each.name for each in (tmp_path / "safe").iterdir()} == {"keys", "checkpoint-keys"}
    assert (tmp_path / "safe" / "checkpoint-keys" / "one.pem").read_text() == "checkpoint-keys"
    assert (tmp_path / "safe").stat().st_mode & 0o077 == 0
    copy_keys(tmp_path / "none", tmp_path / "empty")
    assert list((tmp_path / "empty").iterdir()) == []


def test_the_folders_of_keys_are_where_the_server_has_them() -> None:
    assert CHECKPOINT_KEYS in KEYS
