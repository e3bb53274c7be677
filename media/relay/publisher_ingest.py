"""The publisher's packets of all tracks, sans I/O: bytes in, one timeline a track out."""

from collections.abc import Callable, Sequence

from media.plane import MissingVideo
from media.relay.arrival import Arrival, read_arrival
from media.relay.bitrate_limit import BitrateLimit
from media.relay.ingest import TrackIngest
from media.relay.sender_clock import SenderClock
from media.relay.stats import TrackStats
from media.relay.tracks import Kind, RelayPacket, TrackSpec
from media.wire.rtcp import ReportBlock, SenderReport
from media.wire.rtp import RtpError

_Receive = Callable[[Arrival, float], list[RelayPacket]]


class PublisherIngest:
    """Tracks live on from one publisher session to the next, by kind."""

    def __init__(self, *, max_bitrate_bps: int) -> None:
        self.refused = 0
        """Packets that were no RTP, or of no track."""
        self.over_bitrate = 0
        """Packets beyond the limit, which were dropped before anything else saw them."""
        self.keyframes = 0
        """Keyframes of video that began."""
        self._limit = BitrateLimit(max_bitrate_bps)
        self._tracks: dict[Kind, TrackIngest] = {}
        self._receivers: dict[int, _Receive] = {}  # by payload type

    def set_publisher(self, specs: Sequence[TrackSpec], now: float) -> None:
        """A publisher begins, or comes back. One track of a kind at most."""
        self.publisher_gone()
        self._limit.refill(now)
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
        """What to relay of decrypted packets that came together, in order."""
        relayed: list[RelayPacket] = []
        for packet in packets:
            if not self._limit.allows(len(packet), now):
                self.over_bitrate += 1
                continue
            try:
                arrival = read_arrival(packet)
            except RtpError:
                self.refused += 1
                continue
            receive = self._receivers.get(arrival.header.payload_type, self._receive_foreign)
            relayed += receive(arrival, now)
        self.keyframes += sum(packet.keyframe and packet.kind == "video" for packet in relayed)
        return relayed

    def _receive_foreign(self, arrival: Arrival, now: float) -> list[RelayPacket]:
        for track in self._tracks.values():
            if track.source is not None and track.source.ssrc == arrival.header.ssrc:
                return track.leave_out(arrival, now)
        self.refused += 1
        return []

    def on_sender_report(self, report: SenderReport, now: float) -> None:
        """Learn a source's clock."""
        for track in self._tracks.values():
            track.on_sender_report(report, now)

    def on_bye(self, ssrcs: Sequence[int]) -> None:
        """These sources ended; what comes next is another."""
        for track in self._tracks.values():
            for ssrc in ssrcs:
                track.on_bye(ssrc)

    def reports(self, now: float) -> list[ReportBlock]:
        """How every source is received; ends the interval of the fractions."""
        sources = [track.source for track in self._tracks.values() if track.source is not None]
        return [source.reception.report(source.ssrc, now) for source in sources]

    def missing(self, now: float) -> MissingVideo | None:
        """The video packets to ask for now."""
        video = self._tracks.get("video")
        if video is None or video.source is None or video.media_ssrc is None:
            return None
        due = video.source.losses.due(now)
        if not due:
            return None
        return MissingVideo(video.media_ssrc, tuple(sequence & 0xFFFF for sequence in due))

    def media_ssrc(self, kind: Kind) -> int | None:
        """The publisher's SSRC of that kind, if there is one and it is known."""
        track = self._tracks.get(kind)
        return track.media_ssrc if track is not None else None

    def clock(self, kind: Kind) -> SenderClock | None:
        """The publisher's clock on the relay's timeline, once it has told."""
        track = self._tracks.get(kind)
        return track.source.clock if track is not None and track.source is not None else None

    def stats(self, now: float) -> tuple[TrackStats, ...]:
        """The incoming tracks."""
        return tuple(track.stats(now) for track in self._tracks.values())
