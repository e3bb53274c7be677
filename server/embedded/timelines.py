"""Which timeline of the embedded PostgreSQL ran since when, kept beside what it archives.

PostgreSQL begins a new timeline at the end of each recovery, and its archive does not tell which
one a moment belongs to: a recovery that failed after that left one that nobody used, and a cluster
that was put back goes on with an older one. So each start of a server that archives is looked at,
and `timelines` in the archive has a line wherever another one runs than before:

1 2026-01-31T12:00:00+00:00
3 2026-02-01T09:30:00+00:00
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from config.stores import StoreSettings

RUNS = "timelines"
FIRST = 1


class TimelinesUnreadable(OSError):
    """What is kept beside the archive is not what was written."""


@dataclass(frozen=True, slots=True)
class Run:
    """From `since` on, until the next run, what was committed is on `timeline`."""

    timeline: int
    since: datetime


def timeline_at(runs: Sequence[Run], at: datetime) -> int | None:
    """Which one ran then; None where all runs are later."""
    return next((run.timeline for run in reversed(runs) if run.since <= at), None)


def note_run(settings: StoreSettings, cluster: Path, now: datetime) -> None:
    """Before the server in `cluster` starts: keep which timeline it goes on with. Raises OSError.

    Nothing is kept where nothing is archived.
    """
    if settings.archive_dir is None:
        return
    archive = settings.archive_dir.absolute()
    runs, timeline = read_runs(archive), timeline_of(cluster)
    if not runs or runs[-1].timeline != timeline:
        _write(archive, [*runs, Run(timeline, now)])


def read_runs(archive: Path) -> list[Run]:
    """Oldest first. Raises OSError."""
    try:
        lines = (archive / RUNS).read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    try:
        pairs = [line.split() for line in lines]
        return [Run(int(timeline), datetime.fromisoformat(since)) for timeline, since in pairs]
    except ValueError as error:
        raise TimelinesUnreadable(f"{archive / RUNS} can't be read: {error}") from None


def timeline_of(cluster: Path) -> int:
    """The one that the cluster in this folder goes on with: of those it knows the history of, its
    own is the newest, and the first one has no history.
    """
    return newest_history(cluster / "pg_wal")


def newest_history(folder: Path) -> int:
    """The newest timeline whose history is in this folder; the first one where there is none."""
    histories = folder.glob("[0-9A-F]" * 8 + ".history")
    return max((int(path.stem, 16) for path in histories), default=FIRST)


def timeline_of_base(cluster: Path) -> int:
    """The one that a base backup was taken of. Raises OSError."""
    for line in (cluster / "backup_label").read_text("utf-8").splitlines():
        name, _, value = line.partition(": ")
        if name == "START TIMELINE":
            return int(value)
    raise TimelinesUnreadable(f"{cluster / 'backup_label'} names no timeline.")


def _write(archive: Path, runs: Sequence[Run]) -> None:
    """All of it or nothing, and there when this returns."""
    partial = archive / f"{RUNS}.partial"
    with partial.open("w", encoding="utf-8") as file:
        file.writelines(f"{run.timeline} {run.since.isoformat()}\n" for run in runs)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(archive / RUNS)
    folder = os.open(archive, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
