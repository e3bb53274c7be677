"""How long packets spend in the relay, as a histogram."""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

HISTOGRAM_BOUNDS_S: Final = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128)


@dataclass(frozen=True, slots=True)
class RelayHistogram:
    """Relay times as they are told and shown, in few buckets; all figures only grow."""

    buckets: tuple[tuple[float, int], ...]
    """(Bound in s, packets that took at most that), the shortest first."""
    count: int
    """All packets, those beyond the last bound included."""
    total_s: float
    """What all of them took together."""


@dataclass(frozen=True, slots=True)
class RelayTimes:
    """How many packets took up to so many seconds; `buckets` are (upper bound in s, count), the
    shortest first, `total_s` is the sum of all times. All only grow: the difference of two readings
    is what came between."""

    buckets: tuple[tuple[float, int], ...] = ()
    total_s: float = 0.0

    @property
    def count(self) -> int:
        """All packets."""
        return sum(count for _, count in self.buckets)

    def __sub__(self, earlier: "RelayTimes") -> "RelayTimes":
        before = dict(earlier.buckets)
        return RelayTimes(
            tuple((bound_s, count - before.get(bound_s, 0)) for bound_s, count in self.buckets),
            self.total_s - earlier.total_s,
        )

    def quantile_s(self, share: float) -> float:
        """The time that `share` (0..1) of the packets took at most, rounded up to the bound of its
        bucket. Raises ValueError where there were none."""
        wanted, seen = share * self.count, 0
        for bound_s, count in self.buckets:
            seen += count
            if count and seen >= wanted:
                return bound_s
        raise ValueError("no packet was relayed")

    def histogram(self) -> RelayHistogram | None:
        """The same in the buckets of `HISTOGRAM_BOUNDS_S`; None where nothing was measured at all.

        A bucket that reaches beyond a bound counts as beyond it: no packet is shown as faster than
        it was.
        """
        if not self.buckets:
            return None
        ends_s = [end_s for end_s, _ in self.buckets]
        within = list(accumulate((count for _, count in self.buckets), initial=0))
        return RelayHistogram(
            tuple(
                (bound_s, within[bisect_right(ends_s, bound_s)]) for bound_s in HISTOGRAM_BOUNDS_S
            ),
            within[-1],
            self.total_s,
        )
