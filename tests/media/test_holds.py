"""Holds on stopped streams."""

from uuid import uuid4

from media.holds import Holds


def test_a_hold_ends_by_itself() -> None:
    holds, stream = Holds(), uuid4()
    assert holds.left_s(stream, 0.0) == 0.0
    holds.begin(stream, until=60.0, now=0.0)
    assert holds.left_s(stream, 45.0) == 15.0
    assert holds.left_s(stream, 60.0) == 0.0
    assert holds.left_s(stream, 99.0) == 0.0


def test_what_has_ended_is_forgotten() -> None:
    holds = Holds()
    for second in range(1000):
        holds.begin(uuid4(), until=second + 10.0, now=float(second))
    assert len(holds) <= 11
