"""A WHIP or WHEP session: one peer, from its offer to its end.

    new ──checked──▶ connecting ──secured──▶ connected
     │                    │                      │
     └──────ended─────────┴────────ended─────────┴──▶ closed

`checked`: the first ICE check with a right MESSAGE-INTEGRITY came. `secured`: the DTLS handshake
is over and the SRTP keys are known. `ended`: see EndReason.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from media.relay.tracks import ViewerTrack
from media.transport.dtls import DtlsPeer, DtlsState
from media.transport.ice_lite import IceSession
from media.wire.negotiate import PublishedTrack, WatchedTrack
from media.wire.offer import IceCredentials, OfferedMedia, Setup


class Role(StrEnum):
    """What the peer does; a WHIP URL never reaches a viewer, a WHEP URL never a publisher."""

    PUBLISHER = "publisher"
    VIEWER = "viewer"


class SessionState(StrEnum):
    """How far the session has come."""

    NEW = "new"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    CLOSED = "closed"


class SessionEvent(StrEnum):
    """What takes a session to another state."""

    CHECKED = "checked"
    SECURED = "secured"
    ENDED = "ended"


TRANSITIONS: dict[SessionState, dict[SessionEvent, SessionState]] = {
    SessionState.NEW: {
        SessionEvent.CHECKED: SessionState.CONNECTING,
        SessionEvent.ENDED: SessionState.CLOSED,
    },
    SessionState.CONNECTING: {
        SessionEvent.SECURED: SessionState.CONNECTED,
        SessionEvent.ENDED: SessionState.CLOSED,
    },
    SessionState.CONNECTED: {
        SessionEvent.ENDED: SessionState.CLOSED,
    },
    SessionState.CLOSED: {},
}


class EndReason(StrEnum):
    """Why a session ended."""

    DELETED = "deleted"  # by its client, with DELETE
    PEER_CLOSED = "peer_closed"  # DTLS close_notify
    CONSENT_LOST = "consent_lost"  # nothing authentic heard for too long
    HANDSHAKE_TIMEOUT = "handshake_timeout"
    HANDSHAKE_FAILED = "handshake_failed"
    REPLACED = "replaced"  # its publisher came back with another session
    CODECS_CHANGED = "codecs_changed"  # its publisher came back with codecs it hasn't negotiated
    TOO_FAST = "too_fast"  # its publisher sent more than media.max_publisher_bitrate_bps
    STREAM_ENDED = "stream_ended"
    WORKER_STOPPED = "worker_stopped"


@dataclass(slots=True, eq=False)
class Session:
    """One peer's transport and what was negotiated with it."""

    session_id: str
    """Unguessable: for a viewer it is the capability to change or end the session."""
    number: int
    """The relay's name for it."""
    role: Role
    stream_id: UUID
    ice: IceSession
    dtls: DtlsPeer
    setup: Setup
    """Our DTLS role."""
    remote_ice: IceCredentials
    first_media: OfferedMedia
    """The section that stands for the bundle in fragments."""
    created_at: float
    published: tuple[PublishedTrack, ...] = ()
    """A publisher's tracks."""
    watched: tuple[WatchedTrack, ...] = ()
    """A viewer's tracks as they were negotiated."""
    sent: tuple[ViewerTrack, ...] = ()
    """The same tracks as the relay sends them."""
    state: SessionState = SessionState.NEW
    heard_at: float = field(init=False)
    """When a valid check or the end of the handshake last came from the peer."""

    def __post_init__(self) -> None:
        self.heard_at = self.created_at

    @property
    def etag(self) -> str:
        """RFC 9725 §4.3.1: names the ICE session, so it changes with an ICE restart."""
        return f'"{self.ice.credentials.ufrag}"'

    def on(self, event: SessionEvent) -> None:
        """Change the state. Raises KeyError where the table has no such transition: a bug."""
        self.state = TRANSITIONS[self.state][event]

    def end_reason(
        self, now: float, heard_at: float, *, handshake_timeout_s: float, consent_timeout_s: float
    ) -> EndReason | None:
        """Why the session is over at `now`; None while it goes on.

        `heard_at` is when anything authentic last came from the peer, media included.
        """
        if self.dtls.state is DtlsState.CLOSED:
            return EndReason.PEER_CLOSED
        if self.dtls.state is DtlsState.FAILED:
            return EndReason.HANDSHAKE_FAILED
        if self.state is not SessionState.CONNECTED:
            late = now - self.created_at > handshake_timeout_s
            return EndReason.HANDSHAKE_TIMEOUT if late else None
        return EndReason.CONSENT_LOST if now - heard_at > consent_timeout_s else None
