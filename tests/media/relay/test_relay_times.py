"""A histogram's quantiles, what came between two readings of it, and its fewer buckets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.relay.relay_times import HISTOGRAM_BOUNDS_S, RelayHistogram, RelayTimes

TIMES = RelayTimes(((0.001, 0), (0.002, 90), (0.004, 9), (0.008, 1)), 0.25)


@pytest.mark.parametrize(
    ("share", "bound_s"), [(0.0, 0.002), (0.5, 0.002), (0.9, 0.002), (0.99, 0.004), (1.0, 0.008)]
)
def test_a_quantile_is_the_bound_of_its_bucket(share, bound_s):
    assert TIMES.quantile_s(share) == bound_s


def test_what_came_between_two_readings():
    later = RelayTimes(((0.001, 5), (0.002, 90), (0.004, 9), (0.008, 3)), 0.75)
    between = later - TIMES
    assert (between.count, between.total_s) == (7, 0.5)
    assert between.quantile_s(1.0) == 0.008
    assert between.quantile_s(0.5) == 0.001
    assert (TIMES - RelayTimes()) == TIMES


def test_nothing_has_no_quantile():
    with pytest.raises(ValueError, match="no packet"):
        RelayTimes().quantile_s(0.5)


def test_fewer_buckets_hold_the_same_packets():
    histogram = RelayTimes(
        ((0.0001, 1), (0.0005, 2), (0.00051, 4), (0.0081, 8), (0.128, 16), (0.2, 32)), 12.5
    ).histogram()
    assert histogram is not None
    within = dict(histogram.buckets)
    assert tuple(within) == HISTOGRAM_BOUNDS_S
    assert within[0.0005] == 3
    assert within[0.001] == within[0.008] == 7
    assert within[0.016] == 15  # some of them may have taken less than 8 ms
    assert within[0.128] == 31
    assert (histogram.count, histogram.total_s) == (63, 12.5)


@given(st.lists(st.tuples(st.floats(1e-6, 1.0), st.integers(0, 2**40)), min_size=1))
def test_a_fewer_bucket_counts_what_surely_fits(counts):
    times = RelayTimes(tuple(sorted(counts)))
    histogram = times.histogram()
    assert histogram is not None
    assert histogram.count == times.count
    for bound_s, within in histogram.buckets:
        assert within == sum(count for end_s, count in counts if end_s <= bound_s)


def test_what_was_measured_of_nothing_is_zero_and_what_was_not_is_none():
    idle = RelayTimes(((0.001, 0), (0.2, 0))).histogram()
    assert idle == RelayHistogram(tuple((bound_s, 0) for bound_s in HISTOGRAM_BOUNDS_S), 0, 0.0)
    assert RelayTimes().histogram() is None
