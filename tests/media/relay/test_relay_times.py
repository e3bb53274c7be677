"""A histogram's quantiles, and what came between two readings of it."""

import pytest

from media.relay.relay_times import RelayTimes

TIMES = RelayTimes(((0.001, 0), (0.002, 90), (0.004, 9), (0.008, 1)))


@pytest.mark.parametrize(
    ("share", "bound_s"), [(0.0, 0.002), (0.5, 0.002), (0.9, 0.002), (0.99, 0.004), (1.0, 0.008)]
)
def test_a_quantile_is_the_bound_of_its_bucket(share, bound_s):
    assert TIMES.quantile_s(share) == bound_s


def test_what_came_between_two_readings():
    later = RelayTimes(((0.001, 5), (0.002, 90), (0.004, 9), (0.008, 3)))
    between = later - TIMES
    assert between.count == 7
    assert between.quantile_s(1.0) == 0.008
    assert between.quantile_s(0.5) == 0.001
    assert (TIMES - RelayTimes()) == TIMES


def test_nothing_has_no_quantile():
    with pytest.raises(ValueError, match="no packet"):
        RelayTimes().quantile_s(0.5)
