"""Recovery of the embedded PostgreSQL to a moment: a base backup, and what was archived since.

The cluster that was there is put aside, not removed: what it has of the log and is not archived yet
is read from there, and until the recovered ledger adds up it is what comes back. Recovery follows
the timeline that ran at the wanted moment, not the newest one, which an earlier recovery began.
"""

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from config.settings import Settings
from config.stores import StoreSettings
from server.backup.cluster_copy import CLUSTER, check_base_backup
from server.backup.ledger_figures import LedgerFigures, ledger_faults, ledger_figures
from server.backup.restore import RestoredWrongly, RestoreRefused
from server.backup.tools import Tools
from server.catch_up import chain_what_waits_at
from server.database import connect_patiently
from server.embedded.account import Account
from server.embedded.archive import archiving, restore_command
from server.embedded.folder import DataFolder
from server.embedded.postgres import PUT_ASIDE, UNFINISHED, EmbeddedPostgres
from server.embedded.timelines import RUNS, newest_history, read_runs, timeline_at, timeline_of_base
from server.grants import apply_grants
from server.migrations import migrate

RECOVERY_PATIENCE_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Recovered:
    """What the ledger holds as of then, and where the cluster is that was there before."""

    figures: LedgerFigures
    before: Path | None


def check_recovery(settings: StoreSettings, at: datetime, now: datetime) -> Path:
    """The archive to recover from. Raises RestoreRefused where that can't be done."""
    if settings.database_url is not None:
        raise RestoreRefused(
            "The database is an external one: docs/OPERATIONS.md says how it is recovered."
        )
    if settings.archive_dir is None:
        raise RestoreRefused("Name the archive: stores.archive_dir is not set.")
    if at >= now:
        raise RestoreRefused("That moment is still to come.")
    return settings.archive_dir.absolute()


async def recover(
    folder: DataFolder, account: Account, settings: Settings, base: Path, at: datetime
) -> Recovered:
    """Put what was committed at `at` in place of the cluster in `folder`, which is ours.

    Raises RestoreRefused, BackupDamaged, ChildFailed, RestoredWrongly, MigrationError, OSError or
    asyncpg.PostgresError; then the cluster is the one that was there.
    """
    now = datetime.now(UTC)
    stores = settings.stores
    archive = check_recovery(stores, at, now)
    complete_at = await check_base_backup(base, Tools(stores.postgres_tools))
    if at < complete_at:
        # PostgreSQL would stop where it begins, with all that was committed until then.
        raise RestoreRefused(
            f"This base backup leads to moments from {complete_at} on, not before."
        )
    timeline = _timeline(archive, base / CLUSTER, at)
    new, data = folder.path / "postgres.recovering", folder.path / "postgres"
    aside = folder.path / f"{PUT_ASIDE}{now:%Y%m%dT%H%M%SZ}"
    await asyncio.to_thread(_copy, base / CLUSTER, new, account)
    with _in_place_of(data, new, aside) as before:
        kept = sorted(folder.path.glob(f"{PUT_ASIDE}*/pg_wal"), reverse=True)
        postgres = EmbeddedPostgres(
            folder,
            account,
            {
                **archiving(stores, account),
                "restore_command": restore_command(archive, *kept),
                "recovery_target_timeline": timeline,
                "recovery_target_time": at.astimezone(UTC).isoformat(sep=" "),
                "recovery_target_action": "promote",
            },
            start_patience_s=RECOVERY_PATIENCE_S,
            recovers=True,
        )
        try:
            await postgres.start()  # returns once it takes writes, so recovery is over
            figures = await _checked(postgres.url)
            await chain_what_waits_at(postgres.url, settings.ledger.evidence)
        finally:
            await postgres.stop()
    return Recovered(figures, before)


def finish(folder: DataFolder) -> None:
    """Everything is done that belongs to a recovery: servers may start what was recovered."""
    (folder.path / "postgres" / UNFINISHED).unlink(missing_ok=True)


def _timeline(archive: Path, base: Path, at: datetime) -> str:
    """For `recovery_target_timeline`. Raises RestoreRefused or OSError."""
    ran, began = timeline_at(read_runs(archive), at), timeline_of_base(base)
    if ran is None and newest_history(archive) > began:  # the archive is older than its notes
        raise RestoreRefused(
            f"There were recoveries since this base backup, and which timeline ran at {at} is not"
            f" known. Write it to {archive / RUNS}, with the moment since when: {began} {at}"
        )
    return "current" if ran is None or ran == began else str(ran)


async def _checked(url: str) -> LedgerFigures:
    connection = await connect_patiently(url)
    try:
        await migrate(connection)  # a base backup of an older version
        await apply_grants(connection)
        if faults := await ledger_faults(connection):
            raise RestoredWrongly("; ".join(faults))
        return await ledger_figures(connection)
    finally:
        await connection.close()


@contextmanager
def _in_place_of(data: Path, new: Path, aside: Path) -> Iterator[Path | None]:
    """Have `new` at `data` while the block runs, and for good where it does not raise.

    Gives the folder where what was there is now.
    """
    before = aside if data.exists() else None
    if before is not None:
        data.rename(before)
    new.rename(data)
    try:
        yield before
    except BaseException:
        shutil.rmtree(data)
        if before is not None:
            before.rename(data)
        raise


def _copy(base: Path, new: Path, account: Account) -> None:
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(base, new, symlinks=True)
    (new / "recovery.signal").touch()
    (new / UNFINISHED).touch()
    account.own(new)
    if account.uid is not None and account.gid is not None:
        for path in new.rglob("*"):
            os.chown(path, account.uid, account.gid, follow_symlinks=False)
