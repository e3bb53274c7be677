"""Which worker takes a new stream: the least loaded one, by the packets it handles.

A packet received and a packet sent to one viewer cost about the same, so packets a second are the
measure. What was placed a moment ago counts by what a stream is expected to bring, so that a burst
of new streams doesn't end on one worker.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

EXPECTED_PACKETS_PER_S: Final = 10 * 335
"""A 2.5 Mbit/s stream with a handful of viewers."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is known of a worker that takes sessions."""

    worker: str
    packets_per_s: float
    streams: int
    placed: int
    """Streams placed on it lately, which `packets_per_s` doesn't show yet."""

    @property
    def expected_packets_per_s(self) -> float:
        return self.packets_per_s + self.placed * EXPECTED_PACKETS_PER_S


def place_stream(loads: Sequence[Load]) -> str | None:
    """The worker for a new stream; None where there is none. The same loads give the same worker:
    of equals, the one with fewer streams, then the first by name."""
    if not loads:
        return None
    best = min(
        loads,
        key=lambda load: (load.expected_packets_per_s, load.streams + load.placed, load.worker),
    )
    return best.worker
