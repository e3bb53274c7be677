"""What a media worker counts, as plain numbers for whoever exports them."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Self

from media.plane import PlaneCounts
from media.relay.stats import RelayTotals


@dataclass(slots=True)
class MediaCounters:
    """Totals since the worker began; the keys of each are few and fixed by enums."""

    datagrams: Counter[str] = field(default_factory=Counter)
    """Received datagrams by protocol (see DatagramKind)."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Received datagrams that were ignored or refused, by reason."""
    sessions_started: Counter[str] = field(default_factory=Counter)
    """Sessions by role."""
    sessions_ended: Counter[str] = field(default_factory=Counter)
    """Sessions by the reason of their end."""
    ended_streams: RelayTotals = field(default_factory=RelayTotals)
    """What the streams that ended had relayed."""
    unsent: int = 0
    """Answers, handshakes and reports that the socket had no room for."""

    def with_plane(self, counts: PlaneCounts) -> Self:
        """These counts and those of the plane, of which this keeps none itself."""
        return replace(
            self,
            datagrams=self.datagrams + Counter(counts.datagrams),
            dropped=self.dropped + Counter(counts.dropped),
            unsent=self.unsent + counts.unsent,
        )
