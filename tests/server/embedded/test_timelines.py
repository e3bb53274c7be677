from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.stores import StoreSettings
from server.embedded.timelines import (
    RUNS,
    Run,
    TimelinesUnreadable,
    note_run,
    read_runs,
    timeline_at,
    timeline_of,
    timeline_of_base,
)

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_moment_is_of_the_run_that_began_before_it() -> None:
    # the second recovery failed (2), the third did not; then the cluster of before was put back
    runs = [Run(1, NOON), Run(3, NOON + HOUR), Run(1, NOON + 2 * HOUR), Run(4, NOON + 3 * HOUR)]
    assert timeline_at(runs, NOON - HOUR) is None
    assert [timeline_at(runs, NOON + hours * HOUR) for hours in (0, 0.9, 1, 2.5, 3, 9)] == [
        *(1, 1),
        3,
        1,
        *(4, 4),
    ]


def cluster_of(path: Path, *timelines: int) -> Path:
    """Of a cluster that knows the histories of these."""
    (path / "pg_wal").mkdir(parents=True, exist_ok=True)
    for each in timelines:
        (path / "pg_wal" / f"{each:08X}.history").touch()
    return path


def test_a_run_is_kept_once(tmp_path: Path) -> None:
    settings, old = StoreSettings(archive_dir=tmp_path), cluster_of(tmp_path / "old")
    new = cluster_of(tmp_path / "new", 2, 10)
    for hours, cluster in enumerate((old, old, new, new, old)):
        note_run(settings, cluster, NOON + hours * HOUR)
    assert read_runs(tmp_path) == [
        Run(1, NOON),
        Run(10, NOON + 2 * HOUR),
        Run(1, NOON + 4 * HOUR),
    ]
    assert {path.name for path in tmp_path.iterdir()} == {"old", "new", RUNS}


def test_nothing_is_kept_where_nothing_is_archived(tmp_path: Path) -> None:
    note_run(StoreSettings(), tmp_path / "no cluster yet", NOON)
    assert list(tmp_path.iterdir()) == []


def test_what_can_t_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / RUNS).write_text("1 yesterday\n")
    with pytest.raises(TimelinesUnreadable, match="yesterday"):
        read_runs(tmp_path)
    (tmp_path / "backup_label").write_text("START WAL LOCATION: 0/2000028\n")
    with pytest.raises(TimelinesUnreadable, match="names no timeline"):
        timeline_of_base(tmp_path)


def test_which_timeline_a_cluster_and_a_base_backup_are_of(tmp_path: Path) -> None:
    assert timeline_of(tmp_path / "not made yet") == 1
    assert timeline_of(cluster_of(tmp_path, 2, 17)) == 17
    (tmp_path / "backup_label").write_text("LABEL: x\nSTART TIMELINE: 17\n")
    assert timeline_of_base(tmp_path) == 17
