"""The publisher's side of a stream, sans I/O: packets in, one timeline a track out, feedback back.

What is asked of the publisher comes from `poll`: a receiver report every second, missing packets,
and keyframes for the viewers who need one.
"""

from collections.abc import Callable, Sequence
from typing import Final

from media.relay.ingest import TrackIngest
from media.relay.keyframe_requests import KeyframeRequests
from media.relay.sender_clock import SenderClock
from media.relay.stats import TrackStats
from media.relay.tracks import Kind, RelayPacket, TrackSpec
from media.wire.rtcp import (
    Bye,
    Message,
    SenderReport,
    build_nack,
    build_pli,
    build_receiver_report,
    build_remb,
    build_sdes,
)
from media.wire.rtp import RtpError, RtpHeader, parse_rtp

RECEIVER_SSRC: Final = 1  # ours in feedback: we send the publisher no media, so any will do
REPORT_INTERVAL_S: Final = 1.0

_Receive = Callable[[bytes, RtpHeader, float], list[RelayPacket]]


class Forwarder:
    """Tracks live on from one publisher session to the next, by kind."""

    def __init__(self, *, cname: str, keyframe_interval_s: float, max_bitrate_bps: int) -> None:
        self.keyframes = KeyframeRequests(keyframe_interval_s)
        self.refused = 0
        """Packets that were no RTP, or of no track."""
        self._cname = cname
        self._max_bitrate_bps = max_bitrate_bps
        self._tracks: dict[Kind, TrackIngest] = {}
        self._receivers: dict[int, _Receive] = {}  # by payload type
        self._report_due = float("-inf")

    def set_publisher(self, specs: Sequence[TrackSpec], now: float) -> None:
        """A publisher begins, or comes back. One track of a kind at most."""
        self.publisher_gone()
        for spec in specs:
            track = self._tracks.get(spec.kind)
            if track is None:
                track = self._tracks[spec.kind] = TrackIngest(spec, now)
            else:
                track.begin(spec)
            self._receivers[spec.payload_type] = track.receive
            if spec.rtx_payload_type is not None:
                self._receivers[spec.rtx_payload_type] = track.recover

    def publisher_gone(self) -> None:
        """Nothing more is taken, nor asked for, until `set_publisher`."""
        self._receivers.clear()
        for track in self._tracks.values():
            track.end()

    def receive(self, packets: Sequence[bytes], now: float) -> list[RelayPacket]:
        """What to relay of packets that came together, in order."""
        relayed: list[RelayPacket] = []
        for packet in packets:
            try:
                header = parse_rtp(packet)
            except RtpError:
                self.refused += 1
                continue
            receive = self._receivers.get(header.payload_type)
            relayed += (
                receive(packet, header, now) if receive else self._receive_foreign(header, now)
            )
        if any(packet.keyframe and packet.kind == "video" for packet in relayed):
            self.keyframes.keyframe_came()
        return relayed

    def _receive_foreign(self, header: RtpHeader, now: float) -> list[RelayPacket]:
        for track in self._tracks.values():
            if track.source is not None and track.source.ssrc == header.ssrc:
                return track.leave_out(header, now)
        self.refused += 1
        return []

    def on_rtcp(self, messages: Sequence[Message], now: float) -> None:
        """Take in what the publisher says about its sources."""
        for message in messages:
            for track in self._tracks.values():
                if isinstance(message, SenderReport):
                    track.on_sender_report(message, now)
                elif isinstance(message, Bye):
                    for ssrc in message.ssrcs:
                        track.on_bye(ssrc)

    @property
    def has_clock(self) -> bool:
        """Whether the publisher has told its clock for any track."""
        return any(self.clock(kind) is not None for kind in self._tracks)

    def clock(self, kind: Kind) -> SenderClock | None:
        """The publisher's clock on the relay's timeline, once it has told."""
        track = self._tracks.get(kind)
        return track.source.clock if track is not None and track.source is not None else None

    def poll(self, now: float, *, waiting: bool) -> bytes:
        """The compound RTCP packet to send the publisher now, empty if there is none."""
        feedback = self._reports(now)
        requests = self._requests(now, waiting=waiting)
        if requests and not feedback:
            feedback = build_receiver_report(RECEIVER_SSRC, ())  # RFC 3550 §6.1: it begins so
        return feedback + requests

    def stats(self, now: float) -> tuple[TrackStats, ...]:
        """The incoming tracks."""
        return tuple(track.stats(now) for track in self._tracks.values())

    def _reports(self, now: float) -> bytes:
        if now < self._report_due:
            return b""
        sources = [track.source for track in self._tracks.values() if track.source is not None]
        if not sources:
            return b""
        self._report_due = now + REPORT_INTERVAL_S
        blocks = [source.reception.report(source.ssrc, now) for source in sources]
        # Browsers trust REMB for a quick start; what they then send follows the losses reported.
        return (
            build_receiver_report(RECEIVER_SSRC, blocks)
            + build_sdes((RECEIVER_SSRC,), self._cname)
            + build_remb(RECEIVER_SSRC, self._max_bitrate_bps, [s.ssrc for s in sources])
        )

    def _requests(self, now: float, *, waiting: bool) -> bytes:
        video = self._tracks.get("video")
        if video is None or video.media_ssrc is None:
            return b""
        requests = b""
        missing = video.source.losses.due(now) if video.source is not None else ()
        if missing:
            numbers = [sequence & 0xFFFF for sequence in missing]
            requests += build_nack(RECEIVER_SSRC, video.media_ssrc, numbers)
        if self.keyframes.due(now, waiting=waiting):
            requests += build_pli(RECEIVER_SSRC, video.media_ssrc)
        return requests
