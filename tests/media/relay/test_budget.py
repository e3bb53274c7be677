"""The token bucket."""

from hypothesis import given
from hypothesis import strategies as st

from media.relay.budget import Budget


def test_a_second_is_allowed_at_once_and_comes_back_with_time():
    budget = Budget(100, now=0.0)
    assert budget.take(150, now=0.0) == 100
    assert budget.take(1, now=0.0) == 0
    assert budget.take(100, now=0.5) == 50
    assert budget.take(1000, now=100.0) == 100


@given(st.lists(st.tuples(st.floats(0, 0.3), st.integers(0, 50)), max_size=50))
def test_never_more_than_the_rate_and_one_burst(wishes):
    budget, now, granted = Budget(20, now=0.0), 0.0, 0
    for pause, wanted in wishes:
        now += pause
        granted += budget.take(wanted, now)
        assert granted <= 20 * (1 + now) + 1e-6
