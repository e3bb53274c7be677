"""An SDP offer of a WHIP or WHEP client, as typed values (RFC 8829, RFC 9725 §4.4)."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from media.errors import InvalidSdp
from media.wire.extmap import OfferedExtension, offered_extensions
from media.wire.sdp import Attributes, Sdp, Section, is_uint, parse_sdp

Kind = Literal["audio", "video"]

# Codecs that can be relayed, and their RTP clock rates (RFC 6184, 7741, 9628, 7587; AV1 by AOM).
RELAYED_CODECS: dict[Kind, dict[str, int]] = {
    "video": {"h264": 90_000, "vp8": 90_000, "vp9": 90_000, "av1": 90_000},
    "audio": {"opus": 48_000},
}

# RFC 8122 §5; weaker functions are taken for absent.
FINGERPRINT_BYTES = {"sha-256": 32, "sha-384": 48, "sha-512": 64}

_ICE_CHARS = re.compile(r"[A-Za-z0-9+/=_-]+")  # RFC 8839 §5.4, and the - _ = that some agents use
_MID = re.compile(r"[!-~]{1,64}")
_RTP_PROTOCOLS = frozenset({"UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP"})


class Setup(StrEnum):
    """Who opens the DTLS handshake (RFC 4145 §4, RFC 8842)."""

    ACTPASS = "actpass"
    ACTIVE = "active"
    PASSIVE = "passive"


class Direction(StrEnum):
    """Which way media flows, seen by the side that wrote it."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The hash of a DTLS certificate."""

    algorithm: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class IceCredentials:
    """User name fragment and password of one ICE agent."""

    ufrag: str
    pwd: str


@dataclass(frozen=True, slots=True)
class Codec:
    """A payload type and what it stands for; `encoding` and `fmtp` as they were written."""

    payload_type: int
    encoding: str
    clock_rate: int
    channels: int = 1
    fmtp: str = ""
    feedback: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The encoding name in lower case; names are compared without case (RFC 4855 §3)."""
        return self.encoding.lower()

    def parameter(self, name: str) -> str | None:
        """A parameter of the fmtp line, lower case; None where it is absent."""
        for item in self.fmtp.split(";"):
            key, _, value = item.strip().partition("=")
            if key.lower() == name:
                return value.strip().lower()
        return None


@dataclass(frozen=True, slots=True)
class OfferedMedia:
    """One `m=` section; `usable` is False where it can only be rejected (data, other profiles)."""

    kind: str
    protocol: str
    formats: tuple[str, ...]
    mid: str
    direction: Direction
    usable: bool
    codecs: tuple[Codec, ...] = ()
    ssrcs: tuple[int, ...] = ()
    rtx_ssrcs: tuple[tuple[int, int], ...] = ()
    """Pairs of an SSRC and the one of its retransmissions (`a=ssrc-group:FID`)."""
    extensions: tuple[OfferedExtension, ...] = ()
    allows_mixed: bool = False
    """Whether both forms of header extensions may come in one stream (RFC 8285 §6)."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a client offers over one bundled transport."""

    ice: IceCredentials
    fingerprints: tuple[Fingerprint, ...]
    setup: Setup
    media: tuple[OfferedMedia, ...]
    bundled: tuple[str, ...]
    """Mids of the BUNDLE group in its order; empty where a single section needs no group."""


def parse_offer(text: str) -> Offer:
    """The offer in `text`. Raises InvalidSdp with the reason, in words for the client's author."""
    sdp = parse_sdp(text)
    if not sdp.sections:
        raise InvalidSdp("The offer has no media sections.")
    media = tuple(_media(sdp, section, index) for index, section in enumerate(sdp.sections))
    mids = [each.mid for each in media]
    if len(set(mids)) != len(mids):
        raise InvalidSdp("Two media sections of the offer have the same mid.")
    bundled = _bundle(sdp, media)
    transport = _transport_section(sdp, media, bundled)
    return Offer(
        ice=_ice(sdp.attributes, transport),
        fingerprints=_fingerprints(sdp.attributes, transport),
        setup=_setup(sdp.attributes, transport),
        media=media,
        bundled=bundled,
    )


def _media(sdp: Sdp, section: Section, index: int) -> OfferedMedia:
    attributes = section.attributes
    mid = attributes.first("mid")
    if mid is not None and not _MID.fullmatch(mid):
        raise InvalidSdp("A mid of the offer is no token of at most 64 characters.")
    # RFC 8843 §6: port 0 rejects a section, unless it is there for the bundle only.
    offered = section.port != 0 or "bundle-only" in attributes
    usable = offered and section.kind in RELAYED_CODECS and section.protocol in _RTP_PROTOCOLS
    if usable and "rtcp-mux" not in attributes:
        raise InvalidSdp("The offer must multiplex RTP and RTCP: add a=rtcp-mux.")
    ssrcs, rtx_ssrcs = _ssrcs(attributes)
    return OfferedMedia(
        kind=section.kind,
        protocol=section.protocol,
        formats=section.formats,
        mid=str(index) if mid is None else mid,
        direction=next((d for d in Direction if d in attributes), Direction.SENDRECV),
        usable=usable,
        codecs=_codecs(section) if usable else (),
        ssrcs=ssrcs,
        rtx_ssrcs=rtx_ssrcs,
        extensions=offered_extensions(sdp.attributes, attributes) if usable else (),
        allows_mixed=any("extmap-allow-mixed" in each for each in (sdp.attributes, attributes)),
    )


def _codecs(section: Section) -> tuple[Codec, ...]:
    """The codecs in the order of the `m=` line, which is the client's preference."""
    attributes = section.attributes
    maps = dict(_by_payload_type(attributes, "rtpmap"))
    fmtps = dict(_by_payload_type(attributes, "fmtp"))
    feedback: dict[str, list[str]] = {}
    for value in attributes.all("rtcp-fb"):
        payload_type, _, kind = value.partition(" ")
        feedback.setdefault(payload_type, []).append(kind.strip().lower())
    codecs = []
    for fmt in dict.fromkeys(section.formats):
        if not is_uint(fmt, 127):
            raise InvalidSdp(f"{fmt[:20]!r} is no RTP payload type.")
        if fmt not in maps:
            continue  # a static payload type; none of those is relayed
        encoding, _, rest = maps[fmt].partition("/")
        clock_rate, _, channels = rest.partition("/")
        if not is_uint(clock_rate, 10_000_000) or not is_uint(channels or "1", 255):
            raise InvalidSdp(f"The a=rtpmap line of payload type {fmt} can't be understood.")
        codecs.append(
            Codec(
                payload_type=int(fmt),
                encoding=encoding,
                clock_rate=int(clock_rate),
                channels=int(channels or 1),
                fmtp=fmtps.get(fmt, ""),
                feedback=tuple(feedback.get(fmt, []) + feedback.get("*", [])),
            )
        )
    return tuple(codecs)


def _by_payload_type(attributes: Attributes, name: str) -> list[tuple[str, str]]:
    pairs = (value.partition(" ") for value in attributes.all(name))
    return [(payload_type, rest.strip()) for payload_type, _, rest in pairs]


def _ssrcs(attributes: Attributes) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    """The SSRCs announced, retransmission apart (RFC 5576, RFC 4588 §8.8)."""
    groups = [value.split() for value in attributes.all("ssrc-group")]
    pairs = tuple(
        (_ssrc(group[1]), _ssrc(group[2]))
        for group in groups
        if len(group) == 3 and group[0] == "FID"
    )
    retransmissions = {rtx for _, rtx in pairs}
    announced = (_ssrc(value.partition(" ")[0]) for value in attributes.all("ssrc"))
    return tuple(dict.fromkeys(s for s in announced if s not in retransmissions)), pairs


def _ssrc(text: str) -> int:
    if not is_uint(text, 0xFFFFFFFF):
        raise InvalidSdp(f"{text[:20]!r} is no SSRC.")
    return int(text)


def _bundle(sdp: Sdp, media: tuple[OfferedMedia, ...]) -> tuple[str, ...]:
    groups = [value.split() for value in sdp.attributes.all("group")]
    for semantics, *mids in filter(None, groups):
        if semantics == "BUNDLE":
            known = {each.mid for each in media}
            return tuple(mid for mid in dict.fromkeys(mids) if mid in known)
    if sum(each.usable for each in media) > 1:
        raise InvalidSdp("The offer must bundle its media sections: add a=group:BUNDLE.")
    return ()


def _transport_section(
    sdp: Sdp, media: tuple[OfferedMedia, ...], bundled: tuple[str, ...]
) -> Attributes:
    """Where the transport's attributes stand: the first section of the bundle (RFC 9143 §7.1.3)."""
    tagged = bundled[0] if bundled else next((m.mid for m in media if m.usable), media[0].mid)
    return sdp.sections[[each.mid for each in media].index(tagged)].attributes


def _ice(session: Attributes, section: Attributes) -> IceCredentials:
    ufrag = section.first("ice-ufrag") or session.first("ice-ufrag")
    pwd = section.first("ice-pwd") or session.first("ice-pwd")
    if ufrag is None or pwd is None:
        raise InvalidSdp("The offer lacks a=ice-ufrag or a=ice-pwd.")
    return checked_credentials(ufrag, pwd)


def checked_credentials(ufrag: str, pwd: str) -> IceCredentials:
    """The credentials, where their form is right (RFC 8839 §5.4). Raises InvalidSdp."""
    for name, value, shortest in (("ice-ufrag", ufrag, 4), ("ice-pwd", pwd, 22)):
        if not shortest <= len(value) <= 256 or not _ICE_CHARS.fullmatch(value):
            raise InvalidSdp(f"a={name} must be {shortest} to 256 letters, digits, + or /.")
    return IceCredentials(ufrag, pwd)


def _fingerprints(session: Attributes, section: Attributes) -> tuple[Fingerprint, ...]:
    lines = list(section.all("fingerprint")) or list(session.all("fingerprint"))
    fingerprints = []
    for line in lines:
        algorithm, _, value = line.partition(" ")
        length = FINGERPRINT_BYTES.get(algorithm.lower())
        if length is None:
            continue
        try:
            digest = bytes.fromhex(value.replace(":", ""))
        except ValueError:
            digest = b""
        if len(digest) != length:
            raise InvalidSdp(f"The {algorithm.lower()} fingerprint of the offer is malformed.")
        fingerprints.append(Fingerprint(algorithm.lower(), digest))
    if not fingerprints:
        raise InvalidSdp("The offer needs an a=fingerprint of sha-256 or stronger.")
    return tuple(fingerprints)


def _setup(session: Attributes, section: Attributes) -> Setup:
    value = section.first("setup") or session.first("setup") or Setup.ACTPASS
    try:
        return Setup(value)
    except ValueError:
        raise InvalidSdp("a=setup must be actpass, active or passive.") from None
