"""How long packets spend in the relay, as a histogram."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RelayTimes:
    """How many packets took up to so many seconds; `buckets` are (upper bound in s, count), the
    shortest first. The counts only grow: the difference of two readings is what came between."""

    buckets: tuple[tuple[float, int], ...] = ()

    @property
    def count(self) -> int:
        """All packets."""
        return sum(count for _, count in self.buckets)

    def __sub__(self, earlier: "RelayTimes") -> "RelayTimes":
        before = dict(earlier.buckets)
        return RelayTimes(
            tuple((bound_s, count - before.get(bound_s, 0)) for bound_s, count in self.buckets)
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
