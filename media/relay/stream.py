"""One publisher and its viewers.

The relay takes decrypted packets of both sides, forwards media through its `Fanout`, and says by
`poll` which RTCP to send to whom. Viewers are answered by the relay itself where it can: lost
packets from the cache, clocks from what the publisher said. The publisher hears of them only when
a keyframe is needed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from config.media import MediaSettings
from media.relay.budget import Budget
from media.relay.fanout import Fanout
from media.relay.forwarder import REPORT_INTERVAL_S, Forwarder
from media.relay.stats import RelayStats, RelayTotals
from media.relay.tracks import Address, TrackSpec, Viewer, ViewerTrack
from media.wire.rtcp import (
    FullIntraRequest,
    Message,
    Nack,
    PictureLoss,
    ReceiverReport,
    ReportBlock,
    RtcpError,
    SenderReport,
    build_sdes,
    build_sender_report,
    parse_rtcp,
)

__all__ = [
    "PUBLISHER",
    "Feedback",
    "StreamRelay",
    "TrackSpec",
    "Viewer",
    "ViewerTrack",
]

PUBLISHER: Final = -1

_REPORT_STEP_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Feedback:
    """A compound RTCP packet, not yet encrypted, for a viewer id or `PUBLISHER`."""

    to: int
    packet: bytes


@dataclass(slots=True)
class _Watcher:
    """What the relay remembers of a viewer, beside what its fan-out does."""

    viewer: Viewer
    resends: Budget
    report_due: float
    lost: dict[int, int] = field(default_factory=dict)  # by SSRC, as last reported

    def watches_video(self, ssrc: int) -> bool:
        return any(track.kind == "video" and track.ssrc == ssrc for track in self.viewer.tracks)


class StreamRelay:
    """All methods are called in one thread; `now` is monotonic seconds.

    Malformed packets and unknown viewer ids change nothing. A publisher that comes back with
    another codec can't be understood by the viewers who are there: the caller has to end them.
    `cname` is what the viewers' SDP says of our tracks (RFC 7022).
    """

    def __init__(
        self, fanout: Fanout, *, settings: MediaSettings, cname: str = "sociallive"
    ) -> None:
        self._fanout = fanout
        self._cname = cname
        self._resends_per_s = settings.resend_packets_per_s
        self._forwarder = Forwarder(
            cname=cname,
            keyframe_interval_s=settings.keyframe_interval_s,
            max_bitrate_bps=settings.publisher_bitrate_bps,
        )
        self._watchers: dict[int, _Watcher] = {}
        self._reports_due = float("-inf")
        self._refused = 0

    def set_publisher(self, tracks: Sequence[TrackSpec], now: float) -> None:
        """The publisher is connected, or is again; viewers go on where they were."""
        self._forwarder.set_publisher(tracks, now)
        self._forwarder.keyframes.want()

    def publisher_gone(self, now: float) -> None:
        """The publisher left; viewers stay, and get nothing until the next one comes."""
        self._forwarder.publisher_gone()

    def add_viewer(self, viewer: Viewer, now: float) -> None:
        """Serve a viewer: audio at once, video from the next keyframe, which is asked for.

        Raises ValueError where the id is taken.
        """
        self._fanout.add_viewer(viewer)
        budget = Budget(self._resends_per_s, now)
        self._watchers[viewer.viewer_id] = _Watcher(viewer, budget, report_due=now)
        self._reports_due = now

    def remove_viewer(self, viewer_id: int) -> None:
        """Forget a viewer."""
        self._watchers.pop(viewer_id, None)
        self._fanout.remove_viewer(viewer_id)

    def set_viewer_address(self, viewer_id: int, address: Address) -> None:
        """Send to `address` from now on; the caller has checked that it is the viewer's."""
        self._fanout.set_address(viewer_id, address)

    def on_rtp(self, packets: Sequence[bytes], now: float) -> None:
        """Forward decrypted RTP packets of the publisher that were read together."""
        batch = self._forwarder.receive(packets, now)
        if batch:
            self._fanout.send(batch, now)

    def on_publisher_rtcp(self, packet: bytes, now: float) -> None:
        """Take in a decrypted RTCP packet of the publisher."""
        self._forwarder.on_rtcp(self._parse(packet), now)
        self._reports_due = now

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
        requests = self._forwarder.poll(now, waiting=self._fanout.waiting > 0)
        feedback = [Feedback(PUBLISHER, requests)] if requests else []
        if now >= self._reports_due and self._forwarder.has_clock:
            self._reports_due = now + _REPORT_STEP_S
            feedback += self._reports_to_viewers(now)
        return feedback

    @property
    def totals(self) -> RelayTotals:
        """What was counted and only grows."""
        counters = self._fanout.counters
        return RelayTotals(
            counters.forwarded, counters.dropped, counters.resent, self._forwarder.keyframes.made
        )

    def stats(self, now: float) -> RelayStats:
        """Everything counted so far."""
        counters = self._fanout.counters
        return RelayStats(
            tracks=self._forwarder.stats(now),
            viewers=len(self._watchers),
            packets_forwarded=counters.forwarded,
            packets_dropped=counters.dropped,
            packets_resent=counters.resent,
            keyframe_requests=self._forwarder.keyframes.made,
            viewer_packets_lost=sum(sum(w.lost.values()) for w in self._watchers.values()),
            refused=self._refused + self._forwarder.refused,
        )

    def _parse(self, packet: bytes) -> list[Message]:
        try:
            return parse_rtcp(packet)
        except RtcpError:
            self._refused += 1
            return []

    def _reports_to_viewers(self, now: float) -> Iterator[Feedback]:
        for viewer_id, watcher in self._watchers.items():
            if watcher.report_due <= now:
                report = self._sender_reports(viewer_id, now)
                if report:
                    watcher.report_due = now + REPORT_INTERVAL_S
                    yield Feedback(viewer_id, report)

    def _sender_reports(self, viewer_id: int, now: float) -> bytes:
        reports = b""
        ssrcs = []
        for track in self._fanout.sent(viewer_id):
            clock = self._forwarder.clock(track.kind)
            if clock is None:
                continue
            ntp, timestamp = clock.at(now)
            own_timestamp = (timestamp + track.timestamp_offset) & 0xFFFFFFFF
            reports += build_sender_report(
                SenderReport(track.ssrc, ntp, own_timestamp, track.packets, track.octets)
            )
            ssrcs.append(track.ssrc)
        return reports + build_sdes(ssrcs, self._cname) if reports else b""

    def _on_nack(self, watcher: _Watcher, nack: Nack, now: float) -> None:
        granted = watcher.resends.take(len(nack.sequences), now)
        if granted:
            sequences = nack.sequences[:granted]
            self._fanout.resend(watcher.viewer.viewer_id, nack.media_ssrc, sequences, now)

    def _on_picture_loss(self, watcher: _Watcher, loss: PictureLoss, now: float) -> None:
        if watcher.watches_video(loss.media_ssrc):
            self._forwarder.keyframes.want()

    def _on_full_intra_request(
        self, watcher: _Watcher, request: FullIntraRequest, now: float
    ) -> None:
        if any(watcher.watches_video(ssrc) for ssrc in request.media_ssrcs):
            self._forwarder.keyframes.want()

    def _on_report(
        self, watcher: _Watcher, report: ReceiverReport | SenderReport, now: float
    ) -> None:
        blocks: Sequence[ReportBlock] = report.blocks
        for block in blocks:
            if any(track.ssrc == block.ssrc for track in watcher.viewer.tracks):
                watcher.lost[block.ssrc] = max(block.lost, 0)


_VIEWER_MESSAGES: Final[
    dict[type[Message], Callable[[StreamRelay, _Watcher, Any, float], None]]
] = {
    Nack: StreamRelay._on_nack,
    PictureLoss: StreamRelay._on_picture_loss,
    FullIntraRequest: StreamRelay._on_full_intra_request,
    ReceiverReport: StreamRelay._on_report,
    SenderReport: StreamRelay._on_report,
}
