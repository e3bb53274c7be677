"""Missing packets: asked for after a moment, a round trip apart, a few times, and not for ever."""

import itertools

import pytest

from media.relay.losses import MAX_ASKED, MAX_MISSING, MAX_REQUESTS, REORDERING_S, Losses


def test_reordering_gets_a_moment():
    losses = Losses()
    losses.lacking(range(5, 8), now=1.0)
    assert losses.due(1.0) == []
    assert losses.recovered(6, now=1.0)
    assert losses.due(1.0 + REORDERING_S) == [5, 7]


def test_a_late_packet_counts_once():
    losses = Losses()
    losses.lacking(range(5, 6), now=0.0)
    assert losses.recovered(5, now=0.1)
    assert not losses.recovered(5, now=0.2)
    assert not losses.recovered(4, now=0.2)


def test_requests_are_spaced_and_end():
    losses = Losses()
    losses.lacking(range(5, 6), now=0.0)
    asked_at = [step / 100 for step in range(1, 2_000) if losses.due(step / 100)]
    assert len(asked_at) == MAX_REQUESTS
    gaps = [later - earlier for earlier, later in itertools.pairwise(asked_at)]
    assert min(gaps) >= losses.rtt_s
    assert losses.recovered(5, now=20.0)  # given up is not forgotten: it may still come


def test_the_round_trip_is_learnt_from_first_answers():
    losses = Losses()
    for sequence in range(100):
        now = float(sequence)
        losses.lacking(range(sequence, sequence + 1), now)
        assert losses.due(now + 0.02) == [sequence]
        losses.recovered(sequence, now + 0.02 + 0.03)
    assert losses.rtt_s == pytest.approx(0.03, rel=0.01)


def test_the_answer_to_a_repeated_request_says_nothing_of_the_round_trip():
    losses = Losses()
    before = losses.rtt_s
    losses.lacking(range(1), now=0.0)
    assert losses.due(0.1) == losses.due(0.5) == [0]
    losses.recovered(0, now=0.51)
    assert losses.rtt_s == before


def test_many_are_asked_for_in_portions():
    losses = Losses()
    losses.lacking(range(300), now=0.0)
    portions = [losses.due(1.0) for _ in range(4)]
    assert [len(portion) for portion in portions] == [MAX_ASKED, MAX_ASKED, 300 - 2 * MAX_ASKED, 0]
    assert [number for portion in portions for number in portion] == list(range(300))


def test_memory_is_bounded_to_the_latest():
    losses = Losses()
    losses.lacking(range(300), now=0.0)
    assert losses.recovered(0, now=0.0)
    losses.lacking(range(1_000, 1_300), now=0.0)
    assert not losses.recovered(599 - MAX_MISSING, now=0.0)
    assert losses.recovered(600 - MAX_MISSING, now=0.0)
    losses.lacking(range(2_000, 5_000), now=0.0)
    assert not losses.recovered(1_299, now=0.0)
    assert losses.due(1.0)[0] == 5_000 - MAX_MISSING
