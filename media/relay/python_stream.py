"""A stream's data half in Python: the specification of `StreamPlane`.

The publisher's packets are put in order by `PublisherIngest` and go to every viewer through
`PythonFanout`. What a viewer loses, it asks the relay for: this plane answers no NACKs itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from media.plane import MissingVideo
from media.relay.fanout import Fanout
from media.relay.publisher_ingest import PublisherIngest
from media.relay.sender_clock import SenderClock
from media.relay.stats import FanoutCounters, TrackStats
from media.relay.tracks import Address, Kind, SentTrack, TrackSpec, Viewer
from media.wire.rtcp import ReportBlock, SenderReport


@dataclass(slots=True)
class Routes:
    """Which stream of a plane a peer belongs to."""

    published: "dict[int, PythonStream]" = field(default_factory=dict)
    """Streams by their publisher."""
    watched: "dict[int, PythonStream]" = field(default_factory=dict)
    """Streams by each of their viewers."""


class PythonStream:
    """A `StreamPlane` that enters itself and its peers in `routes`."""

    answers_nacks = False

    def __init__(
        self,
        number: int,
        fanout: Fanout,
        ingest: PublisherIngest,
        routes: Routes,
        *,
        on_closed: Callable[[], object] = lambda: None,
    ) -> None:
        self.number = number
        self._fanout = fanout
        self._ingest = ingest
        self._routes = routes
        self._on_closed = on_closed
        self._publisher: int | None = None
        self._viewers: set[int] = set()

    def on_rtp(self, packets: Sequence[bytes], now: float) -> None:
        """Forward decrypted packets of the publisher that were read together."""
        batch = self._ingest.receive(packets, now)
        if batch:
            self._fanout.send(batch, now)

    def set_publisher(self, peer: int, tracks: Sequence[TrackSpec], now: float) -> None:
        self.publisher_gone()
        self._publisher = peer
        self._routes.published[peer] = self
        self._ingest.set_publisher(tracks, now)

    def publisher_gone(self) -> None:
        if self._publisher is not None:
            del self._routes.published[self._publisher]
            self._publisher = None
        self._ingest.publisher_gone()

    def add_viewer(self, viewer: Viewer, now: float) -> None:
        self._fanout.add_viewer(viewer)
        self._viewers.add(viewer.viewer_id)
        self._routes.watched[viewer.viewer_id] = self

    def remove_viewer(self, viewer_id: int) -> None:
        if viewer_id in self._viewers:
            self._viewers.remove(viewer_id)
            del self._routes.watched[viewer_id]
            self._fanout.remove_viewer(viewer_id)

    def set_address(self, viewer_id: int, address: Address) -> None:
        """Send to `address` from now on."""
        self._fanout.set_address(viewer_id, address)

    def pause(self, viewer_id: int) -> None:
        self._fanout.pause(viewer_id)

    def resume(self, viewer_id: int) -> None:
        self._fanout.resume(viewer_id)

    def resend(self, viewer_id: int, ssrc: int, sequences: Sequence[int], now: float) -> None:
        self._fanout.resend(viewer_id, ssrc, sequences, now)

    def on_sender_report(self, report: SenderReport, now: float) -> None:
        self._ingest.on_sender_report(report, now)

    def on_bye(self, ssrcs: Sequence[int]) -> None:
        self._ingest.on_bye(ssrcs)

    def reports(self, now: float) -> Sequence[ReportBlock]:
        return self._ingest.reports(now)

    def missing(self, now: float) -> MissingVideo | None:
        return self._ingest.missing(now)

    def media_ssrc(self, kind: Kind) -> int | None:
        return self._ingest.media_ssrc(kind)

    def clock(self, kind: Kind) -> SenderClock | None:
        return self._ingest.clock(kind)

    def sent(self, viewer_id: int) -> Sequence[SentTrack]:
        return self._fanout.sent(viewer_id)

    @property
    def waiting(self) -> int:
        return self._fanout.waiting

    @property
    def keyframes(self) -> int:
        return self._ingest.keyframes

    @property
    def refused(self) -> int:
        return self._ingest.refused

    @property
    def over_bitrate(self) -> int:
        return self._ingest.over_bitrate

    @property
    def counters(self) -> FanoutCounters:
        return self._fanout.counters

    def stats(self, now: float) -> tuple[TrackStats, ...]:
        return self._ingest.stats(now)

    def close(self) -> None:
        self.publisher_gone()
        for viewer_id in list(self._viewers):
            self.remove_viewer(viewer_id)
        self._on_closed()
