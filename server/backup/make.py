"""Making a backup: one consistent moment of the database, while it is written to."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from server.backup.ledger_figures import ledger_figures
from server.backup.manifest import DUMP, FORMAT, Manifest, checksums, write_manifest
from server.backup.tools import Tools
from server.database import connect_patiently
from server.migrations import applied_migrations

KEYS = ("keys", "checkpoint-keys")
"""Folders of the data folder: keys that sign access tokens, and the ledger's checkpoints."""


class BackupRefused(Exception):
    """The backup can't be written where it should be; the message says why."""


async def make_backup(url: str, target: Path, tools: Tools) -> Manifest:
    """Write a backup of the database at `url` to the new folder `target`.

    Raises BackupRefused, ToolFailed, OSError or asyncpg.PostgresError; then there is no `target`.
    """
    with _whole(target) as partial:
        manifest = await _dump(url, partial, tools)
        write_manifest(partial, manifest)
    return manifest


def copy_keys(data: Path, target: Path) -> None:
    """Copy the signing keys of a data folder to the new folder `target`, which only we can read.

    Raises BackupRefused or OSError; then there is no `target`.
    """
    with _whole(target) as partial:
        for name in KEYS:
            if (data / name).is_dir():
                shutil.copytree(data / name, partial / name)


def refuse_existing(target: Path) -> None:
    """Raises BackupRefused where there is something."""
    if target.exists():
        raise BackupRefused(f"{target} exists already. Name a folder that does not.")


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """A folder to fill, which is `target` at the end of the block, or nothing where that raises."""
    refuse_existing(target)
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700, parents=True)
    try:
        yield partial
        partial.rename(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


async def _dump(url: str, folder: Path, tools: Tools) -> Manifest:
    connection = await connect_patiently(url)
    try:
        # The figures and the dump see the same moment.
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            snapshot = await connection.fetchval("SELECT pg_export_snapshot()")
            figures = await ledger_figures(connection)
            migrations = await applied_migrations(connection)
            version = await connection.fetchval("SHOW server_version")
            await tools.run(
                "pg_dump",
                [
                    "--format=custom",
                    "--no-owner",
                    "--no-privileges",
                    f"--snapshot={snapshot}",
                    f"--file={folder / DUMP}",
                ],
                url,
            )
    finally:
        await connection.close()
    return Manifest(
        format=FORMAT,
        version=metadata.version("sociallive"),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        postgresql=version,
        ledger_sequence=figures.sequence,
        ledger_transactions=figures.transactions,
        ledger_entries=figures.entries,
        migrations=migrations,
        sha256=checksums(folder, [DUMP]),
    )
