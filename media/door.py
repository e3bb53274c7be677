"""The door into the media plane, for whoever composes the product: one interface, whether the
streams are relayed in this process (`media.local`) or in worker processes (`media.pool`).

What may have to ask another process is a coroutine. What is asked at each request or scrape
(viewers, live streams, figures) is known here and read at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from media.counters import MediaCounters
from media.live import StreamStats
from media.negotiation import Patched
from media.relay.relay_times import RelayHistogram
from media.relay.stats import RelayTotals
from media.worker import Accepted


class MediaDown(Exception):
    """No media worker takes sessions now."""


@dataclass(frozen=True, slots=True)
class WorkerFigures:
    """What one worker counts; totals begin anew with its process."""

    streams: int = 0
    """Streams that are published here and can be watched."""
    pulled: int = 0
    """Streams that it pulls from another worker."""
    viewers: int = 0
    """Connected viewers."""
    busy: float = 0.0
    """CPU seconds a second of its process, over the last second or so."""
    totals: RelayTotals = field(default_factory=RelayTotals)
    counters: MediaCounters = field(default_factory=MediaCounters)
    relay_times: RelayHistogram | None = None
    """How long packets spent in it; None where its plane does not measure that."""


class MediaDoor(Protocol):
    """Made with a callback for `MediaEvent`s, which come in the order in which they happened.

    The calls raise what `MediaWorker`'s raise, and MediaUnavailable where no worker can answer.
    """

    async def start(self) -> None:
        """Bind the ports and serve. Raises PortTaken."""

    async def stop(self) -> None:
        """End every stream and free the ports; the events of it come before this returns."""

    async def check(self) -> None:
        """Raises MediaDown while no worker answers."""

    async def publish(self, stream_id: UUID, publisher_id: UUID, offer: str) -> Accepted: ...

    async def watch(self, stream_id: UUID, offer: str) -> Accepted: ...

    async def patch_publisher(
        self, stream_id: UUID, session_id: str, fragment: str, if_match: str | None
    ) -> Patched: ...

    async def patch_viewer(
        self, stream_id: UUID, session_id: str, fragment: str, if_match: str | None
    ) -> Patched: ...

    async def end_publisher(self, stream_id: UUID, session_id: str) -> None: ...

    async def end_viewer(self, stream_id: UUID, session_id: str) -> None: ...

    async def stop_stream(self, stream_id: UUID, reason: str, *, hold: bool = False) -> None:
        """End a stream wherever it is; with `hold` it can't be published again for a while."""

    async def stats(self, stream_id: UUID) -> StreamStats | None:
        """The figures of a stream that can be watched; None of any other."""

    @property
    def ports(self) -> Sequence[int]:
        """The UDP ports that are open."""

    def live(self) -> list[UUID]:
        """The streams that can be watched."""

    def viewers(self, stream_id: UUID) -> int:
        """Connected viewers of a stream, over all workers."""

    def figures(self) -> dict[str, WorkerFigures]:
        """What each worker counted, by the worker's name; a second old at most."""

    @property
    def restarts(self) -> int:
        """Worker processes that ended unasked and were started again."""
