"""A second's worth at once, and the rate after it."""

from hypothesis import given
from hypothesis import strategies as st

from media.relay.bitrate_limit import BitrateLimit


def test_a_second_may_come_at_once_and_then_the_rate_holds() -> None:
    limit = BitrateLimit(80_000)
    assert [limit.allows(5_000, 0.0) for _ in range(3)] == [True, True, False]
    assert not limit.allows(5_000, 0.4)
    assert limit.allows(5_000, 0.5)
    assert not limit.allows(1, 0.5)


def test_silence_earns_no_more_than_a_second() -> None:
    limit = BitrateLimit(80_000)
    assert limit.allows(10_000, 100.0)
    assert not limit.allows(1, 100.0)


def test_a_new_publisher_begins_anew() -> None:
    limit = BitrateLimit(80_000)
    limit.allows(10_000, 1.0)
    limit.refill(1.0)
    assert limit.allows(10_000, 1.0)


@given(
    st.integers(8_000, 1_000_000),
    st.lists(st.tuples(st.integers(1, 1500), st.floats(0, 0.5)), max_size=200),
)
def test_what_passes_is_never_more_than_the_rate_and_a_second(rate: int, packets: list) -> None:
    limit, now, passed = BitrateLimit(rate), 0.0, 0
    for size, step in packets:
        now += step
        passed += size * limit.allows(size, now)
    assert passed <= rate / 8 * (1 + now) + 1e-6
