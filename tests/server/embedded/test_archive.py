"""Continuous archiving; tests/server/backup/test_point_in_time.py recovers from it."""

import subprocess
from pathlib import Path

import pytest

from config.stores import StoreSettings
from server.embedded.account import Account
from server.embedded.archive import archive_command, archiving, restore_command

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


def test_a_file_comes_from_the_first_folder_that_has_it(tmp_path: Path) -> None:
    first, second, back = tmp_path / "archive", tmp_path / "an old one", tmp_path / "back"
    first.mkdir()
    second.mkdir()
    (first / "0001").write_text("archived")
    (second / "0001").write_text("older")
    (second / "0002").write_text("never archived")

    def fetch(name: str) -> int:
        command = restore_command(first, second).replace("%p", str(back)).replace("%f", name)
        return subprocess.run(["/bin/sh", "-c", command], check=False).returncode

    assert fetch("0001") == 0
    assert back.read_text() == "archived"
    assert fetch("0002") == 0
    assert back.read_text() == "never archived"
    assert fetch("0003") != 0
