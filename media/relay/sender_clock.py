"""The publisher's clocks, carried on to any moment, so that viewers can keep lips in step."""

from typing import NamedTuple


class SenderClock(NamedTuple):
    """A sender report's pair of NTP time (32.32 fixed point) and RTP timestamp, and when it came.

    Both tracks keep the publisher's NTP clock; viewers compare it between tracks only.
    """

    ntp: int
    timestamp: int
    received_at: float
    clock_rate: int

    def at(self, now: float) -> tuple[int, int]:
        """The (NTP, RTP timestamp) pair of `now` (monotonic seconds)."""
        elapsed_s = now - self.received_at
        ntp = (self.ntp + round(elapsed_s * (1 << 32))) & 0xFFFFFFFFFFFFFFFF
        timestamp = (self.timestamp + round(elapsed_s * self.clock_rate)) & 0xFFFFFFFF
        return ntp, timestamp
