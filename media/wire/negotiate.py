"""Which media of an offer are taken, in which codec and with what: the rules, without SDP text.

At most one audio and one video section are taken, each in one codec; the others are rejected.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from media.errors import NoCommonCodec, NoMedia
from media.wire.extensions import MAX_MID_BYTES, PASSED, Extension
from media.wire.extmap import OfferedExtension
from media.wire.offer import RELAYED_CODECS, Codec, Direction, Kind, Offer, OfferedMedia

_PUBLISHER_SENDS = frozenset({Direction.SENDONLY, Direction.SENDRECV})
_VIEWER_RECEIVES = frozenset({Direction.RECVONLY, Direction.SENDRECV})

# Codec parameters that name incompatible bit streams, with what their absence means.
_PROFILE_PARAMETERS = {"vp9": ("profile-id", "0"), "av1": ("profile", "0")}


@dataclass(frozen=True, slots=True)
class PublishedTrack:
    """What a publisher sends in one section."""

    kind: Kind
    media: OfferedMedia
    codec: Codec
    rtx: Codec | None
    """The retransmission format of `codec` (RFC 4588), where it was offered."""

    @property
    def ssrc(self) -> int | None:
        """The SSRC that the offer announced; None where packets will tell."""
        return self.media.ssrcs[0] if self.media.ssrcs else None

    @property
    def rtx_ssrc(self) -> int | None:
        """The SSRC of the retransmissions of `ssrc`, where it was announced."""
        return dict(self.media.rtx_ssrcs).get(self.ssrc or 0)

    @property
    def extensions(self) -> tuple[OfferedExtension, ...]:
        """The header extensions that pass on to viewers; we have no use for others."""
        return tuple(e for e in self.media.extensions if e.sent and e.extension in PASSED)


@dataclass(frozen=True, slots=True)
class WatchedTrack:
    """What a viewer gets in one section: its own payload type for the publisher's codec."""

    kind: Kind
    media: OfferedMedia
    codec: Codec
    rtx: Codec | None = None
    """How lost packets come again (RFC 4588); None: as they were."""
    extensions: tuple[OfferedExtension, ...] = ()
    """The header extensions that are written into this viewer's packets."""

    @property
    def reports_each_packet(self) -> bool:
        """Whether packets carry transport-wide sequence numbers, which the viewer reports on."""
        return any(e.extension is Extension.TRANSPORT_SEQUENCE for e in self.extensions)


def published_tracks(offer: Offer) -> tuple[PublishedTrack, ...]:
    """The sections that are taken from a publisher, each in the first codec that can be relayed.

    Raises NoMedia where nothing is sent, NoCommonCodec where nothing of it can be relayed.
    """
    taken = _take(
        offer,
        _PUBLISHER_SENDS,
        lambda kind, offered: next((c for c in offered if is_relayed(kind, c)), None),
        nothing="The offer sends neither audio nor video. Offer a=sendonly sections.",
        no_codec="None of the offered codecs can be relayed. Offer H264, VP8, VP9, AV1 or Opus.",
    )
    return tuple(
        PublishedTrack(kind, media, codec, _rtx(media, codec)) for kind, media, codec in taken
    )


def watched_tracks(
    offer: Offer, published: Sequence[PublishedTrack], *, transport_cc: bool = False
) -> tuple[WatchedTrack, ...]:
    """The sections in which a viewer gets the published tracks.

    With `transport_cc`, where the viewer can report on every packet it is asked to.

    Raises NoMedia where nothing is received, NoCommonCodec where the viewer has none of the codecs.
    """
    tracks = {track.kind: track for track in published}
    sent = {kind: track.codec for kind, track in tracks.items()}
    names = " and ".join(sorted(codec.name.upper() for codec in sent.values()))
    taken = _take(
        offer,
        _VIEWER_RECEIVES,
        lambda kind, offered: compatible(sent[kind], offered) if kind in sent else None,
        nothing="The offer receives neither audio nor video. Offer a=recvonly sections.",
        no_codec=f"This stream is sent as {names}, which the offer lacks.",
    )
    watched = []
    for kind, media, codec in taken:
        rtx = _rtx(media, codec) if "nack" in codec.feedback else None
        told = {each.extension for each in tracks[kind].extensions}
        # What has a number of its own can't be sent again as it was: it takes RTX, or no NACKs.
        is_stampable = rtx is not None or "nack" not in codec.feedback
        if transport_cc and is_stampable and "transport-cc" in codec.feedback:
            told.add(Extension.TRANSPORT_SEQUENCE)
        watched.append(WatchedTrack(kind, media, codec, rtx, _written_extensions(media, told)))
    return tuple(watched)


def _written_extensions(media: OfferedMedia, told: set[Extension]) -> tuple[OfferedExtension, ...]:
    """Those that there is something to say in; the MID, which tells bundled sections apart (RFC
    9143 §15), is always one."""
    if len(media.mid.encode()) <= MAX_MID_BYTES:
        told = told | {Extension.MID}
    return tuple(
        each
        for each in media.extensions
        # RFC 8285 §6: who has not said so may not be sent both forms.
        if each.received and each.extension in told and (each.is_short or media.allows_mixed)
    )


def can_watch(watched: Sequence[WatchedTrack], published: Sequence[PublishedTrack]) -> bool:
    """Whether what was negotiated with a viewer still fits what is published."""
    sent = {track.kind: track.codec for track in published}
    return all(
        compatible(sent[track.kind], [track.codec]) is not None
        for track in watched
        if track.kind in sent
    )


def is_relayed(kind: Kind, codec: Codec) -> bool:
    """Whether the codec can be relayed."""
    return RELAYED_CODECS[kind].get(codec.name) == codec.clock_rate


def compatible(sent: Codec, offered: Sequence[Codec]) -> Codec | None:
    """The offered codec that can decode what is sent, the nearest one; else None."""
    same = [c for c in offered if (c.name, c.clock_rate) == (sent.name, sent.clock_rate)]
    if sent.name == "h264":
        return _compatible_h264(sent, same)
    if sent.name in _PROFILE_PARAMETERS:
        name, default = _PROFILE_PARAMETERS[sent.name]
        profile = sent.parameter(name) or default
        return next((c for c in same if (c.parameter(name) or default) == profile), None)
    return next(iter(same), None)


def _compatible_h264(sent: Codec, offered: Sequence[Codec]) -> Codec | None:
    """RFC 6184 §8.1: packetization mode 0 can be read in mode 1, not the other way round.

    Decoders read the profile from the stream itself, so another profile is better than no picture.
    """
    readable = [c for c in offered if _packetization_mode(c) >= _packetization_mode(sent)]
    return max(readable, key=lambda codec: _h264_nearness(sent, codec), default=None)


def _h264_nearness(sent: Codec, offered: Codec) -> tuple[bool, bool, bool, bool]:
    ours, theirs = _profile_level_id(sent), _profile_level_id(offered)
    return (
        ours == theirs,
        ours[:4] == theirs[:4],
        ours[:2] == theirs[:2],
        theirs[:2] == "42",
    )


def _packetization_mode(codec: Codec) -> int:
    return 1 if codec.parameter("packetization-mode") == "1" else 0


def _profile_level_id(codec: Codec) -> str:
    return codec.parameter("profile-level-id") or "42000a"  # RFC 6184 §8.1: Baseline, level 1


def _rtx(media: OfferedMedia, codec: Codec) -> Codec | None:
    return next(
        (
            c
            for c in media.codecs
            if c.name == "rtx" and c.parameter("apt") == str(codec.payload_type)
        ),
        None,
    )


def _take(
    offer: Offer,
    directions: frozenset[Direction],
    choose: Callable[[Kind, Sequence[Codec]], Codec | None],
    *,
    nothing: str,
    no_codec: str,
) -> list[tuple[Kind, OfferedMedia, Codec]]:
    in_bundle = [m for m in offer.media if not offer.bundled or m.mid in offer.bundled]
    usable = [m for m in in_bundle if m.usable and m.direction in directions]
    if not usable:
        raise NoMedia(nothing)
    taken: dict[Kind, tuple[Kind, OfferedMedia, Codec]] = {}
    for media in usable:
        kind: Kind = "audio" if media.kind == "audio" else "video"
        codec = choose(kind, media.codecs)
        if codec is not None and kind not in taken:
            taken[kind] = (kind, media, codec)
    if not taken:
        raise NoCommonCodec(no_codec)
    return list(taken.values())
