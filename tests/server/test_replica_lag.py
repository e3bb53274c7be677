"""A database whose log grows by a byte a second, and a replica that follows it or does not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import inf

import pytest

from server.replica_lag import Position, Replayed, ReplicaLag

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
START = NOON - timedelta(days=1)


def database(second: float) -> Position:
    return Position(1_000 + int(second), NOON + timedelta(seconds=second), START)


def replica(second: int, *, committed: int | None = None) -> Replayed:
    """It has the log of that second; the last commit in it is of another one, where there is."""
    committed_at = None if committed is None else NOON + timedelta(seconds=committed)
    return Replayed(True, 1_000 + second, committed_at, START - timedelta(days=1))


@pytest.fixture
def lag() -> ReplicaLag:
    """The database was looked at each second, for 20 s."""
    lag = ReplicaLag(keep_s=10)
    for second in range(21):
        lag.mark(second, database(second))
    return lag


def test_it_is_as_far_behind_as_the_mark_that_it_reached(lag: ReplicaLag) -> None:
    assert lag.behind_s(20, replica(20)) == 0
    assert lag.behind_s(20.5, replica(15)) == 5.5
    assert lag.behind_s(20, replica(9)) == inf  # marks of before are forgotten


def test_what_it_has_replayed_of_late_counts_by_the_databases_clock(lag: ReplicaLag) -> None:
    assert lag.behind_s(20, replica(15, committed=17)) == 3
    assert lag.behind_s(22, replica(9, committed=17)) == 5  # nobody looked for two seconds
    assert lag.behind_s(20, replica(20, committed=-86_400)) == 0  # a quiet day
    assert lag.behind_s(20, replica(15, committed=21)) == 0


def test_one_whose_link_is_cut_falls_behind(lag: ReplicaLag) -> None:
    for second in range(21, 40):
        lag.mark(second, database(second))
        assert lag.behind_s(second, replica(20, committed=20)) == second - 20


def test_commits_of_before_the_clock_was_put_back_are_not_new(lag: ReplicaLag) -> None:
    """It was ahead by an hour, and the replica stopped just before it was put right."""
    hour = 3_600
    cut = replica(20, committed=20)
    for second in (21, 30, 31, 40, hour + 20, hour + 25, hour + 31):
        at = database(second)
        lag.mark(second, replace(at, clock=at.clock - timedelta(hours=1)))
        expected = second - 20 if second <= 30 else inf
        assert lag.behind_s(second, cut) == expected
    # one that goes on is known by the log, and by its commits once the clock has passed that time
    follows = replica(hour + 25, committed=20)
    assert lag.behind_s(hour + 31, follows) == 6
    follows = replica(15, committed=29)
    lag.mark(hour + 32, replace(database(hour + 32), clock=NOON + timedelta(seconds=32)))
    assert lag.behind_s(hour + 32, follows) == 3


def test_a_commit_of_a_time_to_come_says_nothing() -> None:
    """Who begins to look behind that has not seen the clock go back."""
    lag = ReplicaLag(keep_s=10)
    lag.mark(0, database(0))
    assert lag.behind_s(0, replica(-100, committed=3_600)) == inf
    assert lag.behind_s(0, replica(0, committed=3_600)) == 0


def test_while_the_database_is_away_what_it_showed_grows_old(lag: ReplicaLag) -> None:
    assert [lag.behind_s(now, replica(20, committed=20)) for now in (20, 25, 90)] == [0, 5, 70]


def test_nothing_is_known_without_a_mark() -> None:
    assert ReplicaLag(keep_s=10).behind_s(5, replica(20, committed=20)) == inf


def test_a_server_that_takes_writes_is_the_database_itself_or_none(lag: ReplicaLag) -> None:
    promoted = replace(replica(20, committed=20), in_recovery=False)
    assert lag.behind_s(20, promoted) == inf
    assert lag.behind_s(20, replace(promoted, started_at=START)) == 0


def test_marks_of_another_log_are_forgotten(lag: ReplicaLag) -> None:
    lag.mark(21, replace(database(21), log_end=5))
    assert lag.behind_s(22, Replayed(True, 4, None, START)) == inf
    assert lag.behind_s(22, Replayed(True, 5, None, START)) == 1
    assert lag.behind_s(22, Replayed(True, None, None, START)) == inf


def test_one_that_is_beyond_the_newest_mark(lag: ReplicaLag) -> None:
    assert lag.is_beyond(replica(21))
    assert not lag.is_beyond(replica(20))
    assert not lag.is_beyond(replace(replica(21), log_end=None))
    assert not lag.is_beyond(replace(replica(21), in_recovery=False))
    assert not ReplicaLag(keep_s=10).is_beyond(replica(21))
