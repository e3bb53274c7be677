"""From an offer to a session and its answer, for either role: the shell of `wire/`.

Draws the random values that the protocols ask for; decides nothing about streams.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from media.errors import PreconditionFailed, PreconditionRequired
from media.relay.tracks import TrackSpec, ViewerTrack
from media.session import Role, Session
from media.transport.dtls import DtlsIdentity, DtlsPeer
from media.transport.ice_lite import IceLite
from media.transport.ice_secret import UFRAG_CHARS
from media.wire.answer import (
    PUBLISHER_FEEDBACK,
    TRANSPORT_FEEDBACK,
    VIEWER_FEEDBACK,
    AcceptedMedia,
    LocalTransport,
    SentTrack,
    setup_towards,
    write_answer,
    write_restart_fragment,
)
from media.wire.negotiate import (
    PublishedTrack,
    WatchedTrack,
    published_tracks,
    watched_tracks,
)
from media.wire.offer import Direction, IceCredentials, Offer, OfferedMedia, Setup, parse_offer
from media.wire.sdpfrag import parse_credentials


@dataclass(frozen=True, slots=True)
class Patched:
    """What a PATCH did: 204 took candidates, 200 restarted ICE and has a body and a new ETag."""

    status: int
    etag: str
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Negotiated:
    """A session that waits for its peer, and the answer that tells the peer where."""

    session: Session
    answer: str


class Negotiator:
    """Makes sessions of one worker: its certificate, its addresses, its ICE agent."""

    def __init__(
        self,
        ice: IceLite,
        identity: DtlsIdentity,
        candidates: Sequence[tuple[str, int]],
        *,
        viewer_transport_cc: bool = False,
    ) -> None:
        self._ice = ice
        self._identity = identity
        self._candidates = tuple(candidates)
        self._viewer_transport_cc = viewer_transport_cc

    def publisher(self, stream_id: UUID, offer_text: str, now: float) -> Negotiated:
        """A WHIP session. Raises InvalidSdp, NoMedia, NoCommonCodec."""
        offer = parse_offer(offer_text)
        published = published_tracks(offer)
        accepted = {
            track.media.mid: AcceptedMedia(
                codecs=(track.codec,) if track.rtx is None else (track.codec, track.rtx),
                direction=Direction.RECVONLY,
                feedback=PUBLISHER_FEEDBACK,
                extensions=track.extensions,
            )
            for track in published
        }
        first = published[0].media
        session = self._session(Role.PUBLISHER, stream_id, offer, first, now)
        session.published = published
        return Negotiated(session, self._answer(offer, accepted, session))

    def viewer(
        self,
        stream_id: UUID,
        offer_text: str,
        published: Sequence[PublishedTrack],
        cname: str,
        now: float,
    ) -> Negotiated:
        """A WHEP session for these tracks. Raises InvalidSdp, NoMedia, NoCommonCodec."""
        offer = parse_offer(offer_text)
        watched = watched_tracks(offer, published, transport_cc=self._viewer_transport_cc)
        sent = _sent_tracks(watched)
        accepted = {
            track.media.mid: AcceptedMedia(
                codecs=(track.codec,) if track.rtx is None else (track.codec, track.rtx),
                direction=Direction.SENDONLY,
                feedback=VIEWER_FEEDBACK
                | ({TRANSPORT_FEEDBACK} if track.reports_each_packet else frozenset()),
                sent=SentTrack(
                    own.ssrc, cname, str(stream_id), f"{stream_id}-{track.kind}", own.rtx_ssrc
                ),
                extensions=track.extensions,
            )
            for track, own in zip(watched, sent, strict=True)
        }
        session = self._session(Role.VIEWER, stream_id, offer, watched[0].media, now)
        session.watched = watched
        session.sent = sent
        return Negotiated(session, self._answer(offer, accepted, session))

    def patch(self, session: Session, fragment: str, if_match: str | None) -> Patched:
        """Take candidates, which an ICE-lite agent has no use for, or restart ICE.

        Raises PreconditionRequired, PreconditionFailed, InvalidSdp.
        """
        # RFC 9725 §4.3.1: a request names the ICE session by its ETag; a restart names any.
        if if_match is None:
            raise PreconditionRequired
        remote = parse_credentials(fragment)
        is_restart = remote is not None and remote != session.remote_ice
        tags = [tag.strip() for tag in if_match.split(",")]
        if tags != ["*"] and (is_restart or session.etag not in tags):
            raise PreconditionFailed(
                f'This session is at {session.etag}; an ICE restart needs If-Match: "*".'
            )
        if remote is None or not is_restart:
            return Patched(204, session.etag)
        self._ice.restart(session.ice, self._fresh_credentials())
        session.remote_ice = remote
        first = session.first_media
        body = write_restart_fragment(first.mid, first.kind, self._local(session))
        return Patched(200, session.etag, body)

    def _session(
        self, role: Role, stream_id: UUID, offer: Offer, first: OfferedMedia, now: float
    ) -> Session:
        session_id = secrets.token_urlsafe(24)
        is_client = setup_towards(offer.setup) is Setup.ACTIVE
        return Session(
            session_id=session_id,
            number=secrets.randbits(63),
            role=role,
            stream_id=stream_id,
            ice=self._ice.register(session_id, self._fresh_credentials()),
            dtls=DtlsPeer(self._identity, offer.fingerprints, is_client=is_client),
            setup=setup_towards(offer.setup),
            remote_ice=offer.ice,
            created_at=now,
            first_media=first,
        )

    def _answer(self, offer: Offer, accepted: Mapping[str, AcceptedMedia], session: Session) -> str:
        session_id = secrets.randbits(62)
        return write_answer(offer.media, accepted, self._local(session), session_id=session_id)

    def _fresh_credentials(self) -> IceCredentials:
        """RFC 8445 §5.3 asks for 24 and 128 random bits; the fragment is also our key to sessions,
        and to the password."""
        return self._ice.credentials(secrets.token_hex(UFRAG_CHARS // 2))

    def _local(self, session: Session) -> LocalTransport:
        return LocalTransport(
            ice=session.ice.credentials,
            fingerprint=self._identity.fingerprint,
            setup=session.setup,
            candidates=self._candidates,
        )


def track_spec(track: PublishedTrack) -> TrackSpec:
    """The track as the relay wants to know it."""
    return TrackSpec(
        kind=track.kind,
        codec=track.codec.name,
        payload_type=track.codec.payload_type,
        ssrc=track.ssrc,
        rtx_payload_type=track.rtx.payload_type if track.rtx is not None else None,
        rtx_ssrc=track.rtx_ssrc,
        clock_rate=track.codec.clock_rate,
        mid=track.media.mid,
        extensions=tuple((each.id, each.extension) for each in track.extensions),
    )


def _sent_tracks(watched: Sequence[WatchedTrack]) -> tuple[ViewerTrack, ...]:
    """The tracks as the relay sends them, under SSRCs of their own."""
    ssrcs = _fresh_ssrcs(2 * len(watched))
    return tuple(
        ViewerTrack(
            kind=track.kind,
            payload_type=track.codec.payload_type,
            ssrc=ssrcs.pop(),
            rtx_payload_type=track.rtx.payload_type if track.rtx is not None else None,
            rtx_ssrc=ssrcs.pop() if track.rtx is not None else None,
            extensions=tuple((each.extension, each.id) for each in track.extensions),
            mid=track.media.mid,
        )
        for track in watched
    )


def _fresh_ssrcs(count: int) -> list[int]:
    """Different from each other and from 0, which some peers take for unset."""
    ssrcs: set[int] = set()
    while len(ssrcs) < count:
        ssrcs.add(1 + secrets.randbelow(0xFFFFFFFF))
    return list(ssrcs)
