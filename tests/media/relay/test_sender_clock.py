"""A clock carried on."""

from media.relay.sender_clock import SenderClock


def test_both_clocks_go_on_together():
    clock = SenderClock(ntp=5 << 32, timestamp=2**32 - 45_000, received_at=10.0, clock_rate=90_000)
    assert clock.at(10.0) == (5 << 32, 2**32 - 45_000)
    assert clock.at(11.5) == (6 << 32 | 1 << 31, 90_000)
