import json
from pathlib import Path
from typing import Any

import pytest

from server.backup.manifest import (
    DUMP,
    FORMAT,
    MANIFEST,
    BackupDamaged,
    Manifest,
    checksums,
    read_manifest,
    sha256,
    write_manifest,
)


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    (tmp_path / DUMP).write_bytes(b"x" * 3_000_000)
    manifest = Manifest(
        format=FORMAT,
        version="0.1.0",
        made_at="2026-01-31T12:00:00+00:00",
        postgresql="17.10",
        ledger_sequence=7,
        ledger_transactions=6,
        ledger_entries=18,
        migrations=["ledger/0001"],
        sha256=checksums(tmp_path, [DUMP]),
    )
    write_manifest(tmp_path, manifest)
    return tmp_path


def test_it_is_read_as_it_was_written(backup: Path) -> None:
    manifest = read_manifest(backup)
    assert (manifest.ledger_sequence, manifest.migrations) == (7, ["ledger/0001"])
    assert manifest.sha256 == {DUMP: sha256(backup / DUMP)}


def test_one_changed_byte_is_found(backup: Path) -> None:
    with (backup / DUMP).open("r+b") as file:
        file.seek(2_999_999)
        file.write(b"y")
    with pytest.raises(BackupDamaged, match="was changed"):
        read_manifest(backup)


def test_a_missing_file_is_found(backup: Path) -> None:
    (backup / DUMP).unlink()
    with pytest.raises(BackupDamaged, match="can't be read"):
        read_manifest(backup)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "has the format 2"),
        ({"sha256": {}}, "names no database.dump"),
        ({"surprise": 1}, "can't be read"),
    ],
)
def test_another_manifest_is_refused(backup: Path, change: dict[str, Any], message: str) -> None:
    values = json.loads((backup / MANIFEST).read_text()) | change
    (backup / MANIFEST).write_text(json.dumps(values))
    with pytest.raises(BackupDamaged, match=message):
        read_manifest(backup)


def test_a_folder_without_manifest_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(BackupDamaged, match="is no backup"):
        read_manifest(tmp_path)
    (tmp_path / MANIFEST).write_text("nonsense")
    with pytest.raises(BackupDamaged, match="can't be read"):
        read_manifest(tmp_path)
