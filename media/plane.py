"""What a media worker needs of its data plane: everything that happens once a packet.

A `DataPlane` owns the UDP socket. It tells datagrams apart, decrypts, forwards and encrypts, by
itself. STUN, DTLS and the RTCP that needs thought go up to a `PlaneListener`, in batches; keys,
addresses, tracks and viewers come down. A `StreamPlane` is the data half of one stream; the other
half, `media.relay.stream.StreamRelay`, decides on feedback.

There are two implementations of one meaning: `media.python_plane`, which is the specification, and
the native one, which does its work in a thread of its own. So a call takes effect soon, in the
order of the calls, but not before it returns; and what is read is of a moment ago. All methods are
called in the event loop's thread, and none of them waits. `now` is monotonic seconds, the event
loop's own clock. A peer is named by its session's number, a viewer by that of its peer. Unknown
numbers are ignored: a peer may have gone in the meantime.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from media.relay.relay_times import RelayTimes
from media.relay.sender_clock import SenderClock
from media.relay.stats import FanoutCounters, TrackStats
from media.relay.tracks import Address, Kind, SentTrack, TrackSpec, Viewer
from media.session import Role
from media.transport.demux import DatagramKind
from media.transport.srtp import SrtpKeys
from media.wire.rtcp import ReportBlock, SenderReport


class ControlDatagram(NamedTuple):
    """A STUN or DTLS datagram as it came; of anybody."""

    kind: DatagramKind
    datagram: bytes
    address: Address


class PeerPacket(NamedTuple):
    """A compound RTCP packet of a peer, decrypted."""

    peer: int
    packet: bytes


class MissingVideo(NamedTuple):
    """Packets to ask the publisher for: its SSRC, and 16-bit numbers in sending order."""

    media_ssrc: int
    sequences: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PlaneCounts:
    """Totals of a plane since it was made."""

    datagrams: Mapping[str, int] = field(default_factory=dict)
    """Received datagrams by protocol (`DatagramKind`)."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Received datagrams that were ignored or refused, by reason: `rtp_of_no_publisher`,
    `rtp_refused`, `rtcp_of_no_session`, `rtcp_refused`, `unknown_protocol`, `control_overflow`,
    and others of a plane's own; `nack_over_budget` is of NACKs that asked for too much."""
    unsent: int = 0
    """What `send` and `send_rtcp` were given and the socket had no room for."""


class PlaneListener(Protocol):
    """Called in the event loop's thread, for all that came since the last time."""

    def on_control(self, datagrams: Sequence[ControlDatagram], now: float) -> None:
        """STUN and DTLS, in the order in which they came."""

    def on_rtcp(self, packets: Sequence[PeerPacket], now: float) -> None:
        """RTCP of publishers and viewers. A plane whose streams say `answers_nacks` has answered
        the NACKs of viewers, and may leave out packets that were nothing else."""

    def on_attention(self, streams: Collection[int], now: float) -> None:
        """Streams whose feedback may be due: packets came, or a viewer waits for a keyframe."""


class DataPlane(Protocol):
    """A worker's UDP port and whatever goes through it."""

    @property
    def kind(self) -> str:
        """`native` or `python`."""

    @property
    def port(self) -> int:
        """The UDP port. Raises RuntimeError before `open` and after `close`."""

    def open(self, listener: PlaneListener) -> None:
        """Bind and begin, in the running event loop. Raises PortTaken with advice."""

    def close(self) -> None:
        """Free the port; nothing reaches the listener any more. May be called twice."""

    def send(self, datagram: bytes, address: Address) -> bool:
        """Send a STUN or DTLS datagram, or drop it (`counts().unsent`); whether it went."""

    def add_peer(
        self,
        peer: int,
        role: Role,
        keys: SrtpKeys,
        addresses: Sequence[Address],
        ssrcs: Sequence[int] = (),
    ) -> None:
        """A peer whose keys are agreed, at these addresses; the last of them is sent to until
        `select`. With `ssrcs` it shares the addresses with others, and only what comes from these
        sources is its own. Raises ValueError where there are no addresses, or the number is taken.
        """

    def bind(self, peer: int, address: Address) -> None:
        """Take packets from `address`, which a checked STUN request proved to be the peer's."""

    def unbind(self, peer: int, address: Address) -> None:
        """No longer take packets from there."""

    def select(self, peer: int, address: Address) -> None:
        """Send to `address` from now on, media and RTCP."""

    def remove_peer(self, peer: int) -> None:
        """Forget a peer, its keys and its addresses; of a viewer also what its stream has."""

    def heard_at(self, peer: int) -> float:
        """When authentic RTP or RTCP last came from a peer; minus infinity if never."""

    def send_rtcp(self, peer: int, packet: bytes) -> None:
        """Protect a compound packet and send it to where the peer is selected."""

    def stream(self, number: int) -> "StreamPlane":
        """The data half of a new stream. Raises ValueError where the number is taken."""

    def counts(self) -> PlaneCounts:
        """What was counted so far."""

    def relay_times(self) -> RelayTimes:
        """From when each packet of a publisher arrived to when the last viewer's was sent; without
        buckets where that is not measured."""


class StreamPlane(Protocol):
    """One publisher's packets on their way to its viewers.

    Tracks live on from one publisher to the next, by kind.
    """

    @property
    def answers_nacks(self) -> bool:
        """Whether viewers' NACKs are answered in here, within each viewer's budget. Where not, the
        relay reads them and calls `resend`."""

    def set_publisher(self, peer: int, tracks: Sequence[TrackSpec], now: float) -> None:
        """A publisher begins, or comes back; its packets are taken from now on."""

    def publisher_gone(self) -> None:
        """Nothing more is taken until `set_publisher`."""

    def add_viewer(self, viewer: Viewer, now: float) -> None:
        """Serve a peer: audio at once, video from the next keyframe on. Raises ValueError where
        it is served already."""

    def remove_viewer(self, viewer_id: int) -> None:
        """Serve a viewer no longer."""

    def pause(self, viewer_id: int) -> None:
        """Send a viewer nothing until `resume`; what was left out leaves no gap."""

    def resume(self, viewer_id: int) -> None:
        """Go on: audio at once, video with the next keyframe."""

    def resend(self, viewer_id: int, ssrc: int, sequences: Sequence[int], now: float) -> None:
        """Send packets again, named by a viewer's 16-bit numbers, as far as they are still kept."""

    def on_sender_report(self, report: SenderReport, now: float) -> None:
        """The publisher told its clock."""

    def on_bye(self, ssrcs: Sequence[int]) -> None:
        """The publisher's sources ended; what comes next of the same track is a new source."""

    def reports(self, now: float) -> Sequence[ReportBlock]:
        """How every source of the publisher is received; ends the interval of the fractions."""

    def missing(self, now: float) -> MissingVideo | None:
        """The video packets to ask for now; each answer is to be sent, for it counts as asked."""

    def media_ssrc(self, kind: Kind) -> int | None:
        """The publisher's SSRC of that kind, if there is one and it is known."""

    def clock(self, kind: Kind) -> SenderClock | None:
        """The publisher's clock on the relay's timeline, once it has told."""

    def sent(self, viewer_id: int) -> Sequence[SentTrack]:
        """What went to a viewer so far, track by track; tracks that did not start are left out."""

    @property
    def waiting(self) -> int:
        """How many viewers wait for a keyframe."""

    @property
    def keyframes(self) -> int:
        """Keyframes of video that began to arrive; only grows."""

    @property
    def refused(self) -> int:
        """Packets of the publisher that were no RTP, or of no track."""

    @property
    def over_bitrate(self) -> int:
        """Packets of the publisher beyond `media.max_publisher_bitrate_bps`, which were dropped."""

    @property
    def counters(self) -> FanoutCounters:
        """What was sent, dropped and resent."""

    def stats(self, now: float) -> tuple[TrackStats, ...]:
        """The incoming tracks."""

    def close(self) -> None:
        """The stream is over; its number is free."""
