"""What a publisher sends and what a viewer was promised: the values the relay is built around.

`TrackSpec` is one media section of the publisher's SDP, `Viewer` one watching session, and
`RelayPacket` one RTP packet between the two, in the relay's own numbering: its sequence never
wraps and neither it nor the timestamp jumps when the publisher comes back with other numbers.
"""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from media.transport.srtp import SrtpKeys

Kind = Literal["audio", "video"]
KINDS: Final[tuple[Kind, ...]] = ("audio", "video")
Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class TrackSpec:
    """One track of the publisher, as its SDP describes it.

    `codec` is lower case (`h264`, `vp8`, `vp9`, `av1`, `opus`); `ssrc` is None when the SDP told
    none; the RTX fields are None when retransmission payloads (RFC 4588) were not negotiated.
    """

    kind: Kind
    codec: str
    payload_type: int
    ssrc: int | None
    rtx_payload_type: int | None
    rtx_ssrc: int | None
    clock_rate: int
    mid: str


@dataclass(frozen=True, slots=True)
class ViewerTrack:
    """One track towards a viewer: the payload type it negotiated, the SSRC that we chose for it."""

    kind: Kind
    payload_type: int
    ssrc: int


@dataclass(frozen=True, slots=True)
class Viewer:
    """A watching session. At most one track of a kind.

    The keys must be fresh from a handshake: a viewer that was removed may not be added again with
    the keys it had, because numbering starts anew and GCM must never see an index twice.
    """

    viewer_id: int
    tracks: tuple[ViewerTrack, ...]
    keys: SrtpKeys
    address: Address


class RelayPacket(NamedTuple):
    """One RTP packet of the publisher on its way through the relay, made once for all viewers.

    `sequence` is the relay's own, counted on without wrapping; `timestamp` has 32 bits. The
    payload is bare: header extensions, CSRCs and padding of the publisher are gone, since their
    meaning was negotiated with it and not with the viewers. `keyframe` marks where a receiver can
    begin: the first packet of a keyframe, and every packet of audio.
    """

    kind: Kind
    sequence: int
    timestamp: int
    marker: bool
    keyframe: bool
    payload: bytes


class SentTrack(NamedTuple):
    """What went to a viewer on one track, as a sender report has it (RFC 3550 §6.4.1).

    Its timestamps are the relay's plus `timestamp_offset`.
    """

    kind: Kind
    ssrc: int
    timestamp_offset: int
    packets: int
    octets: int
