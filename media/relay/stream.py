"""One publisher and its viewers: what is said between them, over a plane that moves their packets.

Viewers are answered by the relay itself where it can: lost packets from the plane's cache, clocks
from what the publisher said. The publisher hears of them only when a keyframe is needed.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from config.media import MediaSettings
from media.plane import StreamPlane
from media.relay.budget import Budget
from media.relay.publisher_feedback import RECEIVER_SSRC, PublisherFeedback
from media.relay.stats import RelayStats, RelayTotals
from media.relay.tracks import TrackSpec, Viewer, ViewerTrack
from media.relay.viewer_reports import ViewerReports
from media.wire.extensions import Extension
from media.wire.rtcp import (
    Bye,
    FullIntraRequest,
    Message,
    Nack,
    PictureLoss,
    ReceiverReport,
    ReportBlock,
    RtcpError,
    SenderReport,
    parse_rtcp,
)
from media.wire.transport_feedback import TransportFeedback

__all__ = [
    "PUBLISHER",
    "Feedback",
    "StreamRelay",
    "TrackSpec",
    "Viewer",
    "ViewerTrack",
]

PUBLISHER: Final = -1


@dataclass(frozen=True, slots=True)
class Feedback:
    """A compound RTCP packet, not yet encrypted, for a viewer id or `PUBLISHER`."""

    to: int
    packet: bytes


@dataclass(slots=True)
class _Watcher:
    """What the relay remembers of a viewer, beside what the plane does."""

    viewer: Viewer
    resends: Budget
    lost: dict[int, int] = field(default_factory=dict)  # by SSRC, as last reported
    reports_each_packet: bool = False
    """Whether transport-wide feedback tells of its losses, so that reports need not be counted."""

    def watches_video(self, ssrc: int) -> bool:
        return any(track.kind == "video" and track.ssrc == ssrc for track in self.viewer.tracks)


class StreamRelay:
    """All methods are called in one thread; `now` is monotonic seconds.

    Malformed packets and unknown viewer ids change nothing. A publisher that comes back with
    another codec can't be understood by the viewers who are there: the caller has to end them.
    `cname` is what the viewers' SDP says of our tracks (RFC 7022).
    """

    def __init__(
        self,
        plane: StreamPlane,
        *,
        settings: MediaSettings,
        cname: str = "sociallive",
        dropped: Counter[str] | None = None,
    ) -> None:
        """`dropped` counts by reason what is left out of what peers send or ask for."""
        self._dropped = Counter[str]() if dropped is None else dropped
        self._plane = plane
        self._resends_per_s = settings.resend_packets_per_s
        self._publisher = PublisherFeedback(
            plane,
            cname=cname,
            keyframe_interval_s=settings.keyframe_interval_s,
            bitrate_bps=min(settings.publisher_bitrate_bps, settings.max_publisher_bitrate_bps),
        )
        self._reports = ViewerReports(plane, cname)
        self._watchers: dict[int, _Watcher] = {}
        self._viewer_packets_lost = 0
        self._refused = 0

    def set_publisher(
        self,
        peer: int,
        tracks: Sequence[TrackSpec],
        now: float,
        *,
        told_by: int = RECEIVER_SSRC,
    ) -> None:
        """The publisher is connected, or is again; viewers go on where they were. `told_by` is our
        SSRC in feedback."""
        self._plane.set_publisher(peer, tracks, now)
        self._publisher.ssrc = told_by
        self._publisher.want_keyframe()

    def publisher_gone(self, now: float) -> None:
        """The publisher left; viewers stay, and get nothing until the next one comes."""
        self._plane.publisher_gone()

    def add_viewer(self, viewer: Viewer, now: float) -> None:
        """Serve a viewer: audio at once, video from the next keyframe, which is asked for.

        Raises ValueError where the id is taken.
        """
        self._plane.add_viewer(viewer, now)
        self._watchers[viewer.viewer_id] = _Watcher(
            viewer,
            Budget(self._resends_per_s, now),
            reports_each_packet=any(
                Extension.TRANSPORT_SEQUENCE in dict(track.extensions) for track in viewer.tracks
            ),
        )
        self._reports.add(viewer.viewer_id, now)

    def remove_viewer(self, viewer_id: int) -> None:
        """Forget a viewer."""
        self._watchers.pop(viewer_id, None)
        self._reports.remove(viewer_id)
        self._plane.remove_viewer(viewer_id)

    def close(self) -> None:
        """The stream is over."""
        self._plane.close()

    def on_publisher_rtcp(self, packet: bytes, now: float) -> None:
        """Take in a decrypted RTCP packet of the publisher."""
        for message in self._parse(packet):
            if isinstance(message, SenderReport):
                self._plane.on_sender_report(message, now)
            elif isinstance(message, Bye):
                self._plane.on_bye(message.ssrcs)

    def on_viewer_rtcp(self, viewer_id: int, packet: bytes, now: float) -> None:
        """Take in a decrypted RTCP packet of a viewer, and answer what can be answered at once."""
        watcher = self._watchers.get(viewer_id)
        if watcher is None:
            return
        for message in self._parse(packet):
            handle = _VIEWER_MESSAGES.get(type(message))
            if handle is not None:
                handle(self, watcher, message, now)

    def poll(self, now: float) -> list[Feedback]:
        """The RTCP to send now. Cheap: to be called after each `on_*`, and every 50 ms."""
        requests = self._publisher.poll(now)
        feedback = [Feedback(PUBLISHER, requests)] if requests else []
        feedback += [Feedback(viewer, report) for viewer, report in self._reports.poll(now)]
        return feedback

    @property
    def over_bitrate(self) -> int:
        """Packets of the publisher that were dropped because it sent too many."""
        return self._plane.over_bitrate

    @property
    def totals(self) -> RelayTotals:
        """What was counted and only grows."""
        counters = self._plane.counters
        return RelayTotals(
            packets_forwarded=counters.forwarded,
            packets_dropped=counters.dropped,
            packets_resent=counters.resent,
            keyframe_requests=self._publisher.keyframes.made,
            packets_over_bitrate=self._plane.over_bitrate,
            packets_refused=self._plane.refused,
            viewer_packets_lost=self._viewer_packets_lost,
        )

    def stats(self, now: float) -> RelayStats:
        """Everything counted so far."""
        counters = self._plane.counters
        return RelayStats(
            tracks=self._plane.stats(now),
            viewers=len(self._watchers),
            packets_forwarded=counters.forwarded,
            packets_dropped=counters.dropped,
            packets_resent=counters.resent,
            keyframe_requests=self._publisher.keyframes.made,
            viewer_packets_lost=sum(sum(w.lost.values()) for w in self._watchers.values()),
            refused=self._refused + self._plane.refused,
        )

    def _parse(self, packet: bytes) -> list[Message]:
        try:
            return parse_rtcp(packet)
        except RtcpError:
            self._refused += 1
            return []

    def _on_nack(self, watcher: _Watcher, nack: Nack, now: float) -> None:
        if self._plane.answers_nacks:
            return
        granted = watcher.resends.take(len(nack.sequences), now)
        if granted < len(nack.sequences):
            self._dropped["nack_over_budget"] += 1
        if granted:
            sequences = nack.sequences[:granted]
            self._plane.resend(watcher.viewer.viewer_id, nack.media_ssrc, sequences, now)

    def _on_picture_loss(self, watcher: _Watcher, loss: PictureLoss, now: float) -> None:
        if watcher.watches_video(loss.media_ssrc):
            self._publisher.want_keyframe()

    def _on_full_intra_request(
        self, watcher: _Watcher, request: FullIntraRequest, now: float
    ) -> None:
        if any(watcher.watches_video(ssrc) for ssrc in request.media_ssrcs):
            self._publisher.want_keyframe()

    def _on_report(
        self, watcher: _Watcher, report: ReceiverReport | SenderReport, now: float
    ) -> None:
        blocks: Sequence[ReportBlock] = report.blocks
        for block in blocks:
            if any(track.ssrc == block.ssrc for track in watcher.viewer.tracks):
                more = max(block.lost, 0) - watcher.lost.get(block.ssrc, 0)
                watcher.lost[block.ssrc] = max(block.lost, 0)
                if not watcher.reports_each_packet:
                    self._viewer_packets_lost += max(more, 0)

    def _on_transport_feedback(
        self, watcher: _Watcher, feedback: TransportFeedback, now: float
    ) -> None:
        if watcher.reports_each_packet:
            self._viewer_packets_lost += feedback.lost


_VIEWER_MESSAGES: Final[
    dict[type[Message], Callable[[StreamRelay, _Watcher, Any, float], None]]
] = {
    Nack: StreamRelay._on_nack,
    PictureLoss: StreamRelay._on_picture_loss,
    FullIntraRequest: StreamRelay._on_full_intra_request,
    ReceiverReport: StreamRelay._on_report,
    SenderReport: StreamRelay._on_report,
    TransportFeedback: StreamRelay._on_transport_feedback,
}
