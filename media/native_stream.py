"""A stream's data half in C: names for what `media._native.Stream` takes and gives as tuples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from media import _native
from media.plane import MissingVideo
from media.relay.sender_clock import SenderClock
from media.relay.stats import FanoutCounters, TrackStats
from media.relay.tracks import KINDS, Kind, SentTrack, TrackSpec, Viewer, ViewerTrack
from media.session import Role
from media.transport.srtp import SrtpKeys, SrtpProfile
from media.wire.rtcp import ReportBlock, SenderReport

NativeTrack = tuple[int, str, int, int | None, int | None, int, tuple[tuple[int, int], ...]]
"""A `TrackSpec`: kind, codec, payload type, SSRC, RTX payload type, clock rate, extensions."""

_KIND_NUMBERS: Final[dict[Kind, int]] = {kind: number for number, kind in enumerate(KINDS)}
_PROFILE_NUMBERS: Final = {profile: number for number, profile in enumerate(SrtpProfile)}


@dataclass(slots=True)
class NativePeers:
    """What the thread knows of the peers of a plane, by number."""

    by_number: dict[int, _native.Peer] = field(default_factory=dict)
    watched: "dict[int, NativeStream]" = field(default_factory=dict)
    """Streams by each of their viewers."""


class _Served(NamedTuple):
    peer: _native.Peer
    tracks: tuple[ViewerTrack, ...]
    sent: _native.Sent


def native_peer(number: int, keys: SrtpKeys, role: Role) -> _native.Peer:
    """A peer with contexts of its keys, which no plane knows yet."""
    profile = _PROFILE_NUMBERS[keys.profile]
    return _native.Peer(number, role is Role.PUBLISHER, profile, keys.local, keys.remote)


def native_spec(spec: TrackSpec) -> NativeTrack:
    """What the ingress needs of a track."""
    return (
        _KIND_NUMBERS[spec.kind],
        spec.codec,
        spec.payload_type,
        spec.ssrc,
        spec.rtx_payload_type,
        spec.clock_rate,
        tuple((extension_id, extension.number) for extension_id, extension in spec.extensions),
    )


class NativeStream:
    """A `StreamPlane` over one stream of the thread's."""

    answers_nacks = True

    def __init__(
        self, native: _native.Stream, peers: NativePeers, *, on_closed: Callable[[], object]
    ) -> None:
        self._native = native
        self._peers = peers
        self._on_closed = on_closed
        self._viewers: dict[int, _Served] = {}

    def set_publisher(self, peer: int, tracks: Sequence[TrackSpec], now: float) -> None:
        publisher = self._peers.by_number.get(peer)
        if publisher is None:
            self.publisher_gone()
        else:
            self._native.set_publisher(publisher, tuple(map(native_spec, tracks)), now)

    def publisher_gone(self) -> None:
        self._native.publisher_gone()

    def add_viewer(self, viewer: Viewer, now: float) -> None:
        number = viewer.viewer_id
        if number in self._viewers:
            raise ValueError(f"viewer {number} is served already")
        peer = self._peers.by_number.get(number) or native_peer(number, viewer.keys, Role.VIEWER)
        served = _Served(peer, viewer.tracks, _native.Sent())
        self._native.add_viewer(peer, viewer, served.sent)
        self._viewers[number] = served
        self._peers.watched[number] = self

    def remove_viewer(self, viewer_id: int) -> None:
        if (served := self._viewers.pop(viewer_id, None)) is not None:
            self._peers.watched.pop(viewer_id, None)
            self._native.remove_viewer(served.peer)

    def pause(self, viewer_id: int) -> None:
        if (served := self._viewers.get(viewer_id)) is not None:
            self._native.pause(served.peer)

    def resume(self, viewer_id: int) -> None:
        if (served := self._viewers.get(viewer_id)) is not None:
            self._native.resume(served.peer)

    def resend(self, viewer_id: int, ssrc: int, sequences: Sequence[int], now: float) -> None:
        if (served := self._viewers.get(viewer_id)) is not None:
            self._native.resend(served.peer, ssrc, tuple(sequences))

    def on_sender_report(self, report: SenderReport, now: float) -> None:
        self._native.on_sender_report(report.ssrc, report.ntp, report.rtp_timestamp, now)

    def on_bye(self, ssrcs: Sequence[int]) -> None:
        for ssrc in ssrcs:
            self._native.on_bye(ssrc)

    def reports(self, now: float) -> Sequence[ReportBlock]:
        return [ReportBlock(*block) for block in self._native.reports(now)]

    def missing(self, now: float) -> MissingVideo | None:
        missing = self._native.missing(now)
        return MissingVideo(*missing) if missing is not None else None

    def media_ssrc(self, kind: Kind) -> int | None:
        return self._native.media_ssrc(_KIND_NUMBERS[kind])

    def clock(self, kind: Kind) -> SenderClock | None:
        clock = self._native.clock(_KIND_NUMBERS[kind])
        return SenderClock(*clock) if clock is not None else None

    def sent(self, viewer_id: int) -> Sequence[SentTrack]:
        served = self._viewers.get(viewer_id)
        if served is None:
            return ()
        read = served.sent.read()
        return [
            SentTrack(track.kind, track.ssrc, track.ssrc, *read[_KIND_NUMBERS[track.kind]])
            for track in served.tracks
            if read[_KIND_NUMBERS[track.kind]][0]
        ]

    @property
    def waiting(self) -> int:
        return self._native.waiting

    @property
    def keyframes(self) -> int:
        return self._native.totals()[2]

    @property
    def refused(self) -> int:
        return self._native.totals()[0]

    @property
    def over_bitrate(self) -> int:
        return self._native.totals()[1]

    @property
    def counters(self) -> FanoutCounters:
        return FanoutCounters(*self._native.counters())

    def stats(self, now: float) -> tuple[TrackStats, ...]:
        return tuple(
            TrackStats(KINDS[kind], codec, bitrate_bps, packets, lost)
            for kind, codec, bitrate_bps, packets, lost in self._native.stats(now)
        )

    def close(self) -> None:
        self.publisher_gone()
        for viewer_id in self._viewers:
            self._peers.watched.pop(viewer_id, None)
        self._viewers.clear()
        self._native.close()
        self._on_closed()
