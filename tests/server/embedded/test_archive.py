"""Continuous archiving, and recovery to a point in time, with the embedded PostgreSQL."""

import asyncio
import os
import subprocess
from pathlib import Path

import asyncpg
import pytest

from config.stores import StoreSettings
from server.embedded.account import Account, store_account
from server.embedded.archive import archive_command, archiving, restore_command
from server.embedded.folder import DataFolder
from server.embedded.postgres import EmbeddedPostgres, installation

HERE = Account(uid=None, gid=None)


def test_nothing_is_archived_by_default() -> None:
    assert archiving(StoreSettings(), HERE) == {}


def test_the_settings_archive_to_the_folder(tmp_path: Path) -> None:
    settings = StoreSettings(archive_dir=tmp_path / "wal", archive_timeout_s=5)
    server = archiving(settings, HERE)
    assert (server["archive_mode"], server["archive_timeout"]) == ("on", "5s")
    assert (tmp_path / "wal").is_dir()


@pytest.mark.parametrize("name", ["wal", "it's a folder"])
def test_a_file_is_archived_once_and_never_overwritten(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()

    def run(command: str, path: Path) -> int:
        line = command.replace("%p", str(path)).replace("%f", "0001")
        return subprocess.run(["/bin/sh", "-c", line], check=False).returncode

    source, other, back = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    source.write_text("wal")
    other.write_text("another")
    assert run(archive_command(folder), source) == 0
    assert run(archive_command(folder), source) == 0  # after a crash the same one comes again
    assert run(archive_command(folder), other) != 0
    assert (folder / "0001").read_text() == "wal"
    assert [each.name for each in folder.iterdir()] == ["0001"]
    assert run(restore_command(folder), back) == 0
    assert back.read_text() == "wal"
    assert run(archive_command(tmp_path / "gone"), source) != 0


@pytest.mark.slow
async def test_a_point_in_time_is_recovered(data_dir: Path) -> None:
    """docs/OPERATIONS.md, "Point in time": what it says, done."""
    account, archive = store_account(), data_dir / "archive"
    settings = StoreSettings(archive_dir=archive)
    folder = DataFolder(data_dir / "old")
    postgres = EmbeddedPostgres(folder, account, archiving(settings, account))
    await postgres.start()
    connection = await asyncpg.connect(postgres.url)
    await connection.execute("CREATE TABLE kept (n integer)")
    await connection.execute("INSERT INTO kept VALUES (1)")
    await asyncio.to_thread(base_backup, postgres.admin_url, data_dir / "base")
    await connection.execute("INSERT INTO kept VALUES (2)")
    moment = await connection.fetchval("SELECT clock_timestamp()::text")
    await connection.execute("INSERT INTO kept VALUES (3)")
    await connection.close()
    await postgres.stop()  # archives what is left
    folder.release()

    new = DataFolder(data_dir / "new")
    (data_dir / "base").rename(data_dir / "new" / "postgres")
    for name in ("postgres-admin", "postgres-app", "postgres-writer"):
        secret = (data_dir / "old" / "secrets" / name).read_text()
        (data_dir / "new" / "secrets" / name).write_text(secret)
    (data_dir / "new" / "postgres" / "recovery.signal").touch()
    give(data_dir / "new" / "postgres", account)
    recovered = EmbeddedPostgres(
        new,
        account,
        {
            "restore_command": restore_command(archive),
            "recovery_target_time": moment,
            "recovery_target_action": "promote",
        },
    )
    await recovered.start()
    connection = await asyncpg.connect(recovered.url)
    rows = await connection.fetch("SELECT n FROM kept ORDER BY n")
    assert [row["n"] for row in rows] == [1, 2]
    await connection.close()
    await recovered.stop()
    new.release()


def base_backup(url: str, target: Path) -> None:
    subprocess.run(
        [
            str(installation() / "bin" / "pg_basebackup"),
            f"--dbname={url}",
            f"--pgdata={target}",
            "--wal-method=none",
            "--checkpoint=fast",
        ],
        check=True,
        capture_output=True,
    )


def give(folder: Path, account: Account) -> None:
    account.own(folder)
    for path in folder.rglob("*"):
        if account.uid is not None and account.gid is not None:
            os.chown(path, account.uid, account.gid)
