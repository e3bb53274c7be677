"""Base backups of the embedded PostgreSQL: its files, from which its archive leads on.

base/
  base.json   when it was complete; written last, so that a backup without it is none
  cluster/    what pg_basebackup wrote, with a manifest of its own
"""

import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg

from server.backup.make import BackupRefused, refuse_existing
from server.backup.manifest import BackupDamaged
from server.backup.tools import ToolFailed, Tools

CLUSTER, ABOUT = "cluster", "base.json"


async def make_base_backup(admin_url: str, target: Path, tools: Tools) -> datetime:
    """Copy the running server at `admin_url` (of its superuser) to the new folder `target`; from
    which moment on it leads to all others.

    Raises BackupRefused (also where that server archives nothing), ToolFailed, OSError or
    asyncpg.PostgresError; then there is no `target`.
    """
    refuse_existing(target)
    await _refuse_without_archive(admin_url)
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700, parents=True)
    try:
        await tools.run(
            "pg_basebackup",
            [f"--pgdata={partial / CLUSTER}", "--wal-method=stream", "--checkpoint=fast"],
            admin_url,
        )
        complete_at = await _clock(admin_url)
        _write(partial / ABOUT, complete_at)
        partial.rename(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return complete_at


async def check_base_backup(base: Path, tools: Tools) -> datetime:
    """From which moment on it leads to all others; every file is as it was written.

    Raises BackupDamaged.
    """
    complete_at = _read(base / ABOUT)
    try:
        await tools.run_alone("pg_verifybackup", ["--quiet", str(base / CLUSTER)])
    except ToolFailed as error:
        raise BackupDamaged(str(error)) from None
    return complete_at


async def _refuse_without_archive(url: str) -> None:
    if await _asked(url, "SHOW archive_mode") == "off":
        raise BackupRefused(
            "Nothing is archived, so no later moment could be reached from a base backup. "
            "Set stores.archive_dir, and start the server with it."
        )


async def _clock(url: str) -> datetime:
    """The server's time, which its commits have."""
    now: datetime = await _asked(url, "SELECT clock_timestamp()")
    return now


async def _asked(url: str, query: str) -> Any:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def _write(path: Path, complete_at: datetime) -> None:
    path.write_text(json.dumps({"complete_at": complete_at.isoformat()}) + "\n", "utf-8")


def _read(path: Path) -> datetime:
    try:
        about: Any = json.loads(path.read_text("utf-8"))
        return datetime.fromisoformat(about["complete_at"])
    except OSError as error:
        raise BackupDamaged(f"{path.parent} is no base backup: {error}") from None
    except (TypeError, KeyError, ValueError) as error:
        raise BackupDamaged(f"{path} can't be read: {error!r}") from None
