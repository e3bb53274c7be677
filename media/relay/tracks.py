"""What a publisher sends and what a viewer was promised: the values the relay is built around.

`TrackSpec` is one media section of the publisher's SDP, `Viewer` one watching session, and
`RelayPacket` one RTP packet between the two, in the relay's own numbering: its sequence never
wraps and neither it nor the timestamp jumps when the publisher comes back with other numbers.
"""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from media.transport.srtp import SrtpKeys
from media.wire.extensions import Extension

Kind = Literal["audio", "video"]
KINDS: Final[tuple[Kind, ...]] = ("audio", "video")
Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class TrackSpec:
    """One track of the publisher, as its SDP describes it.

    `codec` is lower case (`h264`, `vp8`, `vp9`, `av1`, `opus`); `ssrc` is None when the SDP told
    none; the RTX fields are None when retransmission payloads (RFC 4588) were not negotiated.
    `extensions` are the ids of those header extensions that pass through to viewers.
    """

    kind: Kind
    codec: str
    payload_type: int
    ssrc: int | None
    rtx_payload_type: int | None
    rtx_ssrc: int | None
    clock_rate: int
    mid: str
    extensions: tuple[tuple[int, Extension], ...] = ()


@dataclass(frozen=True, slots=True)
class ViewerTrack:
    """One track towards a viewer: the payload type it negotiated, the SSRC that we chose for it.

    The RTX fields are both there where retransmission payloads (RFC 4588) were negotiated, and
    both None where not. `extensions` gives the id at this viewer of each header extension that it
    agreed to; `mid` is the value of the MID one.
    """

    kind: Kind
    payload_type: int
    ssrc: int
    rtx_payload_type: int | None = None
    rtx_ssrc: int | None = None
    extensions: tuple[tuple[Extension, int], ...] = ()
    mid: str = ""


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
    payload is bare: CSRCs and padding of the publisher are gone. `keyframe` marks where a receiver
    can begin: the first packet of a keyframe, and every packet of audio. `extensions` are those of
    the publisher's header extensions that pass through, in its order, `MAX_PASSED` at most.
    """

    kind: Kind
    sequence: int
    timestamp: int
    marker: bool
    keyframe: bool
    payload: bytes
    extensions: tuple[tuple[Extension, bytes], ...] = ()


class SentTrack(NamedTuple):
    """What went to a viewer on one track, as a sender report has it (RFC 3550 §6.4.1).

    Its timestamps are the relay's plus `timestamp_offset`.
    """

    kind: Kind
    ssrc: int
    timestamp_offset: int
    packets: int
    octets: int
