"""Which packets of a source are missing, and when to ask the publisher for them.

A gap is given a moment in which reordering may close it; then each packet is asked for a few times,
a round trip apart. The round trip is learnt from packets that came after they were asked for once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MAX_MISSING: Final = 512
MAX_ASKED: Final = 128  # so that the NACK fits a datagram beside a report
MAX_REQUESTS: Final = 8
REORDERING_S: Final = 0.01
_FIRST_RTT_S: Final = 0.1
_SHORTEST_SPACING_S: Final = 0.02
_LONGEST_SPACING_S: Final = 0.5


@dataclass(slots=True)
class _Missing:
    due: float
    asked_at: float = 0.0
    requests: int = 0


class Losses:
    """At most `MAX_MISSING` extended sequence numbers; of a longer gap the latest are kept."""

    def __init__(self) -> None:
        self._missing: dict[int, _Missing] = {}
        self._next_due = float("inf")
        self._rtt_s = _FIRST_RTT_S

    @property
    def rtt_s(self) -> float:
        """The publisher's round-trip time, as far as recoveries have shown it."""
        return self._rtt_s

    def lacking(self, sequences: range, now: float) -> None:
        """Note a gap that showed at `now`."""
        for sequence in sequences[-MAX_MISSING:]:
            self._missing[sequence] = _Missing(due=now + REORDERING_S)
        while len(self._missing) > MAX_MISSING:
            del self._missing[next(iter(self._missing))]
        self._next_due = min(self._next_due, now + REORDERING_S)

    def recovered(self, sequence: int, now: float) -> bool:
        """A packet came late: whether it was missing, and not a repetition."""
        missing = self._missing.pop(sequence, None)
        if missing is None:
            return False
        if missing.requests == 1:  # Karn: which of several requests it answers is unknown
            self._rtt_s += (now - missing.asked_at - self._rtt_s) / 8
        return True

    def due(self, now: float) -> list[int]:
        """What to ask for now, in sending order; at most `MAX_ASKED`, the rest is due next time."""
        if now < self._next_due:
            return []
        spacing = min(max(1.25 * self._rtt_s, _SHORTEST_SPACING_S), _LONGEST_SPACING_S)
        due: list[int] = []
        for sequence, missing in self._missing.items():
            if len(due) == MAX_ASKED:
                break
            if missing.due > now:
                continue
            due.append(sequence)
            missing.asked_at = now
            missing.requests += 1
            missing.due = now + spacing if missing.requests < MAX_REQUESTS else float("inf")
        self._next_due = _earliest(self._missing.values())
        return due


def _earliest(missing: Iterable[_Missing]) -> float:
    return min((each.due for each in missing), default=float("inf"))
