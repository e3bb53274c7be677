"""The stream of the media benches is what they say."""

import pytest

from bench.media.stream import PACKETS_PER_S, Publisher


@pytest.mark.parametrize("burst", [1, 3, 10])
def test_a_second_of_the_stream_is_two_and_a_half_megabits(burst: int) -> None:
    batches = Publisher().second(burst=burst)
    packets = [packet for batch in batches for packet in batch]
    assert len(packets) == PACKETS_PER_S
    assert sum(map(len, packets)) * 8 == pytest.approx(2_500_000, rel=0.05)
    assert max(map(len, batches)) == burst
    assert len(set(packets)) == len(packets)


def test_the_batches_of_a_second_are_spread_over_it() -> None:
    timed = Publisher().timed(100.0)
    times = [next(timed)[0] for _ in range(2 * len(Publisher().second()))]
    assert times == sorted(times)
    assert times[0] == 100.0
    assert 101.98 < times[-1] < 102.0
