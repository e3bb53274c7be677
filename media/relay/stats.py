"""What a relay counts, as values."""

from collections import deque
from dataclasses import astuple, dataclass
from typing import Final

from media.relay.tracks import Kind


@dataclass(frozen=True, slots=True)
class TrackStats:
    """One incoming track: `lost` counts packets of the publisher that never came."""

    kind: Kind
    codec: str
    bitrate_bps: int
    packets: int
    lost: int


@dataclass(frozen=True, slots=True)
class RelayStats:
    """Counters of one stream since it began.

    `viewer_packets_lost` adds up what the present viewers' last receiver reports call lost;
    `refused` counts packets, of either side, that made no sense.
    """

    tracks: tuple[TrackStats, ...]
    viewers: int
    packets_forwarded: int
    packets_dropped: int
    packets_resent: int
    keyframe_requests: int
    viewer_packets_lost: int
    refused: int


@dataclass(frozen=True, slots=True)
class RelayTotals:
    """What only grows, of one stream or of many added up.

    `packets_over_bitrate` and `packets_refused` are the publishers': dropped because they sent too
    many, or made no sense. `viewer_packets_lost` is what viewers say that they lost on the way.
    """

    packets_forwarded: int = 0
    packets_dropped: int = 0
    packets_resent: int = 0
    keyframe_requests: int = 0
    packets_over_bitrate: int = 0
    packets_refused: int = 0
    viewer_packets_lost: int = 0

    def __add__(self, other: "RelayTotals") -> "RelayTotals":
        return RelayTotals(*map(sum, zip(astuple(self), astuple(other), strict=True)))


@dataclass(slots=True)
class FanoutCounters:
    """Packets times viewers since the stream began.

    `dropped` counts those that the socket did not take and those that were left out after them.
    """

    forwarded: int = 0
    dropped: int = 0
    resent: int = 0


class RateMeter:
    """Bits a second over the last `WINDOW_S` seconds, counted in steps of `STEP_S`."""

    WINDOW_S: Final = 2.0
    STEP_S: Final = 0.1

    def __init__(self, now: float) -> None:
        self._since = now
        self._step = int(now / self.STEP_S)
        self._size = 0
        self._past: deque[tuple[int, int]] = deque()
        self._past_size = 0

    def add(self, size: int, now: float) -> None:
        """Count `size` bytes that came at `now` (monotonic seconds)."""
        self._advance(now)
        self._size += size

    def bitrate_bps(self, now: float) -> int:
        """The rate up to `now`; over less than the window while the meter is young."""
        self._advance(now)
        span_s = min(max(now - self._since, self.STEP_S), self.WINDOW_S)
        return round((self._past_size + self._size) * 8 / span_s)

    def _advance(self, now: float) -> None:
        step = int(now / self.STEP_S)
        if step <= self._step:
            return
        self._past.append((self._step, self._size))
        self._past_size += self._size
        self._step, self._size = step, 0
        oldest = step - round(self.WINDOW_S / self.STEP_S)
        while self._past and self._past[0][0] < oldest:
            self._past_size -= self._past.popleft()[1]
