"""Token buckets keep their promise over every stretch of time."""

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from chat.limits import Rate, RateLimiter, TokenBucket

rates = st.builds(Rate, st.integers(1, 20), st.floats(0.5, 60))
steps = st.lists(st.floats(0, 5), min_size=1, max_size=80)


@given(rates, steps)
def test_no_stretch_of_time_sees_more_than_its_share(rate: Rate, pauses: list[float]) -> None:
    bucket = TokenBucket(rate)
    taken = [now for now in accumulate(pauses, initial=100.0) if not bucket.take(now)]
    for index, start in enumerate(taken):
        for number, end in enumerate(taken[index:], start=1):
            assert number <= rate.count + (end - start) * rate.count / rate.per_s + 1e-6


@given(rates, steps)
def test_who_waits_as_told_is_let_through(rate: Rate, pauses: list[float]) -> None:
    bucket, now = TokenBucket(rate), 100.0
    for pause in pauses:
        now += pause
        wait_s = bucket.take(now)
        assert wait_s >= 0
        if wait_s:
            now += wait_s + 1e-6
            assert bucket.take(now) == 0


@given(rates)
def test_a_burst_of_the_whole_count_is_let_through(rate: Rate) -> None:
    bucket = TokenBucket(rate)
    assert [bucket.take(7.0) for _ in range(rate.count)] == [0.0] * rate.count
    assert bucket.take(7.0) > 0
    assert not bucket.is_full_at(7.0)
    assert bucket.is_full_at(7.0 + rate.per_s + 1e-6)


def test_time_that_stands_or_runs_back_gives_nothing() -> None:
    bucket = TokenBucket(Rate(1, 10.0))
    assert bucket.take(50.0) == 0
    assert bucket.take(40.0) > 0
    assert bucket.take(50.0) > 0


def test_keys_have_buckets_of_their_own() -> None:
    limiter = RateLimiter(Rate(1, 10.0))
    assert limiter.take("ann", 1.0) == 0
    assert limiter.take("bob", 1.0) == 0
    assert limiter.take("ann", 1.0) > 0


@given(st.lists(st.integers(0, 30), max_size=200))
def test_keys_are_bounded(keys: list[int]) -> None:
    limiter = RateLimiter(Rate(2, 10.0), capacity=5)
    for now, key in enumerate(keys, start=1):
        limiter.take(key, now / 1000)
        assert len(limiter) <= 5


def test_full_buckets_are_forgotten() -> None:
    limiter = RateLimiter(Rate(1, 1.0))
    for number in range(100):
        limiter.take(number, 1.0)
    for number in range(100, 200):
        limiter.take(number, 10.0)
    assert len(limiter) == 100
