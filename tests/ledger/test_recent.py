"""What was committed here lately: in order, without gaps, and never more than so much."""

from datetime import UTC, datetime

from ledger.outbox import LogBatch
from ledger.recent import RecentBatches

EVENTS = b"[{}]"


def batch(sequence: int) -> LogBatch:
    return LogBatch(sequence, 1, datetime(2026, 11, 27, tzinfo=UTC), EVENTS)


def holding(*sequences: int, most_bytes: int = 1_000) -> RecentBatches:
    recent = RecentBatches(most_bytes)
    for sequence in sequences:
        recent.add(batch(sequence))
    return recent


def sequences(recent: RecentBatches, cursor: int, limit: int = 10) -> list[int]:
    return [each.sequence for each in recent.behind(cursor, limit)]


def test_what_follows_the_cursor_is_given_in_order():
    assert sequences(holding(7, 5, 6), cursor=4) == [5, 6, 7]


def test_at_most_as_many_as_are_asked_for():
    assert sequences(holding(5, 6, 7), cursor=4, limit=2) == [5, 6]


def test_nothing_behind_a_gap_is_given():
    recent = holding(6, 7)
    assert sequences(recent, cursor=4) == []
    recent.add(batch(5))
    assert sequences(recent, cursor=4) == [5, 6, 7]
    assert sequences(holding(5, 7), cursor=4) == [5]


def test_what_is_behind_the_gap_is_known_of():
    assert holding(5, 8).newest == 8
    assert holding().newest == 0


def test_what_was_published_is_forgotten():
    recent = holding(5, 6, 7)
    assert sequences(recent, cursor=6) == [7]
    assert sequences(recent, cursor=4) == []  # 5 and 6 are the database's to give


def test_all_are_forgotten_where_they_are_too_many():
    recent = holding(1, 2, 3, most_bytes=2 * len(EVENTS))
    assert sequences(recent, cursor=0) == []
    assert sequences(recent, cursor=2) == [3]


def test_what_was_forgotten_leaves_its_room():
    recent = holding(1, 2, most_bytes=2 * len(EVENTS))
    recent.behind(2, 1)
    recent.add(batch(3))
    recent.add(batch(4))
    assert sequences(recent, cursor=2) == [3, 4]
    recent.clear()
    assert recent.newest == 0
    recent.add(batch(5))
    recent.add(batch(6))
    assert sequences(recent, cursor=4) == [5, 6]
