"""A feed: one stream from the worker that has its publisher to another that fans it out, too.

To the worker it comes from (the origin) it is one more viewer, to the one it goes to (the edge) it
is the publisher. Neither ICE nor DTLS is spoken: who agrees to a feed gives both ends its keys and
tells each the other's address. Nothing here is bound to one machine, as long as the way between
those addresses is open, and the way on which the keys are agreed is not.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Self

from media.negotiation import track_spec
from media.relay.tracks import Address, TrackSpec, ViewerTrack
from media.transport.srtp import SrtpKeys, SrtpProfile
from media.wire.negotiate import PublishedTrack

PROFILE: Final = SrtpProfile.AEAD_AES_128_GCM


@dataclass(frozen=True, slots=True)
class FeedKeys:
    """Master keys with their salts, hexadecimal; fresh for each feed, or GCM would meet an index
    twice."""

    profile: str
    origin: str = field(repr=False)
    """Protects what the origin sends."""
    edge: str = field(repr=False)
    """Protects what the edge sends."""

    @classmethod
    def fresh(cls) -> Self:
        """Random ones of the quickest profile."""
        size = PROFILE.material_bytes // 2
        return cls(PROFILE.name, secrets.token_hex(size), secrets.token_hex(size))

    def at_origin(self) -> SrtpKeys:
        """As the origin uses them. Raises KeyError, ValueError where they are none."""
        profile = SrtpProfile[self.profile]
        origin, edge = bytes.fromhex(self.origin), bytes.fromhex(self.edge)
        if {len(origin), len(edge)} != {profile.material_bytes // 2}:
            raise ValueError(f"{profile.name} needs {profile.material_bytes} bytes of material")
        return SrtpKeys(profile, origin, edge)

    def at_edge(self) -> SrtpKeys:
        """As the edge uses them."""
        keys = self.at_origin()
        return replace(keys, local=keys.remote, remote=keys.local)


@dataclass(frozen=True, slots=True)
class Link:
    """A feed's name, which no other peer of either worker has, its keys, and the other end."""

    number: int
    address: Address
    keys: FeedKeys

    @property
    def feedback_ssrc(self) -> int:
        """The source of what the edge tells the origin: of each feed its own, as both ends send
        and receive all of their feeds at one address. Never 0."""
        return 1 + self.number % 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Feed:
    """What an origin sends to an edge."""

    published: tuple[PublishedTrack, ...]
    """What its publisher sends: the edge's viewers negotiate about the same."""
    tracks: tuple[TrackSpec, ...]
    """The packets of the feed."""
    cname: str
    """RFC 7022: one source, whichever worker it is watched at."""


def feed_tracks(published: Sequence[PublishedTrack]) -> tuple[TrackSpec, ...]:
    """The publisher's tracks as a feed carries them: under SSRCs of its own, all header extensions
    that pass through, lost packets again as they were."""
    return tuple(
        replace(
            track_spec(track),
            ssrc=1 + secrets.randbelow(0x7FFF_FFFF) * 2 + (track.kind == "video"),
            rtx_payload_type=None,
            rtx_ssrc=None,
        )
        for track in published
    )


def viewer_tracks(tracks: Sequence[TrackSpec]) -> tuple[ViewerTrack, ...]:
    """The same tracks as the origin's relay sends them."""
    return tuple(
        ViewerTrack(
            kind=track.kind,
            payload_type=track.payload_type,
            ssrc=track.ssrc or 0,
            extensions=tuple((extension, number) for number, extension in track.extensions),
        )
        for track in tracks
    )
