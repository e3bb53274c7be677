"""How well one RTP source is received: the figures of a report block (RFC 3550 §6.4.1, §A.8)."""

from media.wire.rtcp import ReportBlock
from media.wire.rtp import extend


class Reception:
    """Counts the packets of one source, by extended sequence number.

    A repeated packet counts as received, as the RFC has it; one that was recovered by RTX does
    not come here, so that the sender's congestion control sees the loss.
    """

    def __init__(self, first: int, clock_rate: int) -> None:
        self._clock_rate = clock_rate
        self._first = first
        self._highest = first - 1
        self._received = 0
        self._reported_expected = 0
        self._reported_received = 0
        self._jitter = 0.0
        self._last_arrival: tuple[float, int] | None = None  # monotonic seconds, timestamp
        self._last_sr: tuple[int, float] | None = None  # middle 32 bits of NTP, when it came

    @property
    def lost(self) -> int:
        """Packets expected and not received; negative when duplicates outnumber losses."""
        return self._expected - self._received

    @property
    def _expected(self) -> int:
        return self._highest - self._first + 1

    def received(self, sequence: int, timestamp: int, now: float) -> None:
        """Count a packet that came at `now` (monotonic seconds)."""
        self._received += 1
        self._highest = max(self._highest, sequence)
        if self._last_arrival is not None:
            arrival, previous = self._last_arrival
            sent = extend(timestamp, previous, bits=32) - previous
            deviation = abs((now - arrival) * self._clock_rate - sent)
            self._jitter += (deviation - self._jitter) / 16
        self._last_arrival = now, timestamp

    def on_sender_report(self, ntp: int, now: float) -> None:
        """Remember the sender's clock, which the next reports echo so that it learns the RTT."""
        self._last_sr = ntp >> 16 & 0xFFFFFFFF, now

    def report(self, ssrc: int, now: float) -> ReportBlock:
        """The block about everything until `now`; its fraction covers the time since the last."""
        expected = self._expected - self._reported_expected
        lost = expected - (self._received - self._reported_received)
        self._reported_expected = self._expected
        self._reported_received = self._received
        last_sr, delay = 0, 0
        if self._last_sr is not None:
            last_sr = self._last_sr[0]
            delay = min(round((now - self._last_sr[1]) * 65536), 0xFFFFFFFF)
        return ReportBlock(
            ssrc=ssrc,
            fraction_lost=min(lost * 256 // expected, 255) if expected > 0 and lost > 0 else 0,
            lost=self.lost,
            highest_sequence=self._highest & 0xFFFFFFFF,
            jitter=min(int(self._jitter), 0xFFFFFFFF),
            last_sr=last_sr,
            delay=delay,
        )
