"""The SDP answer, written here line by line (RFC 8829 §5.3, RFC 8839, RFC 8842, RFC 9143)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from media.wire.extmap import OfferedExtension
from media.wire.offer import Codec, Direction, Fingerprint, IceCredentials, OfferedMedia, Setup

# What the relay does with feedback, so no other is agreed to: a publisher is asked for resends,
# key frames and a bit rate; a viewer may ask for resends and key frames.
PUBLISHER_FEEDBACK = frozenset({"nack", "nack pli", "ccm fir", "goog-remb"})
VIEWER_FEEDBACK = frozenset({"nack", "nack pli", "ccm fir"})
TRANSPORT_FEEDBACK = "transport-cc"
"""Of a viewer whose packets carry transport-wide sequence numbers."""

# RFC 8445 §5.1.2.1: type preference of a host candidate, and the component of RTP with rtcp-mux.
_HOST_PREFERENCE = 126 << 24
_COMPONENT = 1


@dataclass(frozen=True, slots=True)
class LocalTransport:
    """Our end of the one bundled transport."""

    ice: IceCredentials
    fingerprint: Fingerprint
    setup: Setup
    candidates: tuple[tuple[str, int], ...]
    """IP address and port of each host candidate, the preferred one first."""


@dataclass(frozen=True, slots=True)
class SentTrack:
    """How we name what we send."""

    ssrc: int
    cname: str
    stream_id: str
    track_id: str
    rtx_ssrc: int | None = None
    """The SSRC of retransmissions, where those have a payload type."""


@dataclass(frozen=True, slots=True)
class AcceptedMedia:
    """What the answer says about a section that is taken."""

    codecs: tuple[Codec, ...]
    direction: Direction
    feedback: frozenset[str]
    sent: SentTrack | None = None
    extensions: tuple[OfferedExtension, ...] = ()


def setup_towards(offered: Setup) -> Setup:
    """Our DTLS role: the server's, except towards a client that insists on being one (FFmpeg)."""
    return Setup.ACTIVE if offered is Setup.PASSIVE else Setup.PASSIVE


def write_answer(
    offered: tuple[OfferedMedia, ...],
    accepted: Mapping[str, AcceptedMedia],
    transport: LocalTransport,
    *,
    session_id: int,
) -> str:
    """The answer to the offered sections, in their order; those not in `accepted` get port 0.

    `accepted` is by mid; `session_id` is the number of the `o=` line.
    """
    bundled = " ".join(media.mid for media in offered if media.mid in accepted)
    lines = [
        "v=0",
        f"o=- {session_id} 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        f"a=group:BUNDLE {bundled}",
        "a=msid-semantic:WMS *",
    ]
    for media in offered:
        if media.mid in accepted:
            lines += _accepted_section(media, accepted[media.mid], transport)
        else:
            lines += _rejected_section(media)
    return "\r\n".join(lines) + "\r\n"


def write_restart_fragment(mid: str, kind: str, transport: LocalTransport) -> str:
    """The answer to an ICE restart (RFC 9725 §4.3.3): our new credentials, the same candidates."""
    lines = [
        "a=ice-lite",
        f"a=group:BUNDLE {mid}",
        f"m={kind} 9 UDP/TLS/RTP/SAVPF 0",
        f"a=mid:{mid}",
        *_ice_lines(transport),
    ]
    return "\r\n".join(lines) + "\r\n"


def _rejected_section(media: OfferedMedia) -> list[str]:
    formats = " ".join(media.formats)
    return [
        f"m={media.kind} 0 {media.protocol} {formats}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{media.mid}",
        "a=inactive",
    ]


def _accepted_section(
    media: OfferedMedia, accepted: AcceptedMedia, transport: LocalTransport
) -> list[str]:
    host, port = transport.candidates[0]
    payload_types = " ".join(str(codec.payload_type) for codec in accepted.codecs)
    digest = transport.fingerprint.digest.hex(":").upper()
    lines = [
        f"m={media.kind} {port} {media.protocol} {payload_types}",
        f"c=IN IP{ip_address(host).version} {host}",
        f"a=mid:{media.mid}",
        *_ice_lines(transport),
        f"a=fingerprint:{transport.fingerprint.algorithm} {digest}",
        f"a=setup:{transport.setup}",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        *_extension_lines(media, accepted),
        f"a={accepted.direction}",
    ]
    for codec in accepted.codecs:
        lines += _codec_lines(codec, accepted.feedback)
    if accepted.sent is not None:
        lines += _sent_lines(accepted.sent)
    return lines


def _extension_lines(media: OfferedMedia, accepted: AcceptedMedia) -> Iterator[str]:
    if accepted.extensions and media.allows_mixed:
        yield "a=extmap-allow-mixed"
    for extension in accepted.extensions:
        yield extension.answer_line()


def _sent_lines(sent: SentTrack) -> Iterator[str]:
    """RFC 5576, RFC 8830: the SSRCs and what they belong to."""
    msid = f"msid:{sent.stream_id} {sent.track_id}"
    yield f"a={msid}"
    ssrcs = [sent.ssrc]
    if sent.rtx_ssrc is not None:
        yield f"a=ssrc-group:FID {sent.ssrc} {sent.rtx_ssrc}"  # RFC 4588 §8.8
        ssrcs.append(sent.rtx_ssrc)
    for ssrc in ssrcs:
        yield f"a=ssrc:{ssrc} cname:{sent.cname}"
        yield f"a=ssrc:{ssrc} {msid}"


def _codec_lines(codec: Codec, feedback: frozenset[str]) -> Iterator[str]:
    channels = f"/{codec.channels}" if codec.channels > 1 else ""
    yield f"a=rtpmap:{codec.payload_type} {codec.encoding}/{codec.clock_rate}{channels}"
    if codec.fmtp:
        yield f"a=fmtp:{codec.payload_type} {codec.fmtp}"
    for kind in dict.fromkeys(codec.feedback):
        if kind in feedback:
            yield f"a=rtcp-fb:{codec.payload_type} {kind}"


def _ice_lines(transport: LocalTransport) -> list[str]:
    return [
        f"a=ice-ufrag:{transport.ice.ufrag}",
        f"a=ice-pwd:{transport.ice.pwd}",
        *(
            f"a=candidate:{rank + 1} {_COMPONENT} udp {_priority(rank)} {host} {port} typ host"
            for rank, (host, port) in enumerate(transport.candidates)
        ),
        "a=end-of-candidates",
    ]


def _priority(rank: int) -> int:
    return _HOST_PREFERENCE + ((65535 - rank) << 8) + 256 - _COMPONENT
