"""Which worker takes a new stream, and which one a viewer.

A stream goes to the least loaded worker, by the packets it handles: one received and one sent to a
viewer cost about the same. What was placed a moment ago counts by what a stream is expected to
bring, so that a burst of new streams doesn't end on one worker.

A viewer goes to a worker that has the stream as long as one of them has room: to its origin first,
then to the edge with the most viewers, so that the others run empty and can be given up. Where none
has room, another worker becomes an edge; where all are full, the one with the fewest viewers of the
stream takes the viewer, since a refusal would help nobody.
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


@dataclass(frozen=True, slots=True)
class Host:
    """A worker that might take a viewer of a certain stream."""

    load: Load
    viewers: int
    """Of the stream, at this worker."""
    busy: float
    """CPU seconds a second."""
    is_origin: bool
    serves: bool
    """Whether it has the stream, as its origin or as an edge."""
    may_pull: bool = True
    """Whether it may become an edge."""

    def has_room(self, limits: "Limits") -> bool:
        return self.viewers < limits.viewers and self.busy < limits.busy


@dataclass(frozen=True, slots=True)
class Limits:
    """When a stream outgrows a worker."""

    viewers: int
    """Of one stream at one worker."""
    busy: float
    """CPU seconds a second of a worker."""


def place_stream(loads: Sequence[Load]) -> str | None:
    """The worker for a new stream; None where there is none. The same loads give the same worker:
    of equals, the one with fewer streams, then the first by name."""
    if not loads:
        return None
    return min(loads, key=_order).worker


def place_viewer(hosts: Sequence[Host], limits: Limits) -> str | None:
    """The worker for a viewer, who makes it an edge where it has not the stream; None where the
    stream is nowhere."""
    serving = [host for host in hosts if host.serves]
    with_room = [host for host in serving if host.has_room(limits)]
    if with_room:
        return max(with_room, key=lambda host: (host.is_origin, host.viewers)).load.worker
    others = [
        host.load for host in hosts if not host.serves and host.may_pull and host.has_room(limits)
    ]
    if serving and others:
        return place_stream(others)
    if serving:
        return min(serving, key=lambda host: host.viewers).load.worker
    return None


def _order(load: Load) -> tuple[float, int, str]:
    return load.expected_packets_per_s, load.streams + load.placed, load.worker
