"""The streams and sessions of a worker, and what follows when one of them connects or ends.

A stream outlives its publisher's session. When that session ends otherwise than by its own DELETE,
the stream is interrupted and waits for the publisher; viewers stay, unless the publisher comes back
with a codec that they have not negotiated.
"""

import logging
from collections.abc import Callable, Sequence
from uuid import UUID

from config.media import MediaSettings
from media.counters import MediaCounters
from media.deadlines import Deadlines
from media.errors import UnknownSession
from media.events import MediaEvent, StreamEnded, StreamInterrupted, StreamLive, ViewersChanged
from media.heap import Heap
from media.holds import Holds
from media.live import LiveStream, StreamEvent, StreamState
from media.negotiation import track_spec
from media.plane import DataPlane
from media.relay.publisher_feedback import RECEIVER_SSRC
from media.relay.tracks import TrackSpec, Viewer
from media.session import EndReason, Role, Session, SessionEvent, SessionState
from media.traffic import Peer, Traffic
from media.transport.dtls import DtlsState
from media.transport.ice_lite import IceLite
from media.wire.negotiate import PublishedTrack, can_watch

_logger = logging.getLogger(__name__)


class Registry:
    """Both tables, kept in step with each other, with the relays and with the traffic."""

    def __init__(
        self,
        settings: MediaSettings,
        plane: DataPlane,
        ice: IceLite,
        *,
        on_event: Callable[[MediaEvent], None],
    ) -> None:
        self.counters = MediaCounters()
        self._heap = Heap()
        self.traffic = Traffic(
            plane,
            ice,
            self.counters,
            self._heap,
            on_secured=self._on_secured,
            on_closed=self._on_closed,
        )
        self.streams: dict[UUID, LiveStream] = {}
        self.pending = 0
        """Sessions between their offer and the end of their handshake."""
        self.viewers = 0
        """Viewers' sessions, connected or not."""
        self.holds = Holds()
        self._settings = settings
        self._on_event = on_event
        self._sessions: dict[str, Session] = {}
        self._by_number: dict[int, Session] = {}
        self._overdue = Deadlines()

    def find(self, role: Role, stream_id: UUID, session_id: str) -> Session:
        """The session of this stream in this role. Raises UnknownSession."""
        session = self._sessions.get(session_id)
        if session is None or (session.role, session.stream_id) != (role, stream_id):
            raise UnknownSession
        return session

    def add(self, session: Session, stream: LiveStream) -> None:
        """A new session of a stream, which becomes one of the streams by it."""
        self.streams[stream.stream_id] = stream
        self._sessions[session.session_id] = self._by_number[session.number] = session
        self._overdue.set(session.number, session.created_at)
        self.pending += 1
        if session.role is Role.PUBLISHER:
            stream.publisher = session
        else:
            stream.viewers[session.number] = session
            self.viewers += 1
        self.traffic.add(session, stream)
        self.counters.sessions_started[session.role] += 1

    def sweep(self, now: float) -> None:
        """End what is overdue: handshakes, silent peers, publishers who stay away or overdo it."""
        self._heap.poll(now)
        for number in list(self._overdue.take(now)):
            session = self._by_number[number]
            if (reason := self._end_reason(session, now)) is not None:
                self.end_session(session, reason, now)
        for stream in list(self.streams.values()):
            if stream.is_expired(now, self._settings.reconnect_window_s):
                stream.on(StreamEvent.EXPIRED)
                self._close(stream, "The publisher did not come back.", EndReason.STREAM_ENDED)
            elif stream.publisher is not None and self._is_too_fast(stream, now):
                # Its encoder would be back within seconds, with as many bits.
                held_s = self._settings.stop_hold_s
                self.holds.begin(stream.stream_id, now + held_s, now)
                self.end_stream(stream, self._too_fast(), EndReason.TOO_FAST, held_s=held_s)

    def _end_reason(self, session: Session, now: float) -> EndReason | None:
        """Why a session is over at `now`; where it is not, when to look again is noted."""
        settings, heard_at = self._settings, self.traffic.heard_at(session)
        reason = session.end_reason(
            now,
            heard_at,
            handshake_timeout_s=settings.handshake_timeout_s,
            consent_timeout_s=settings.consent_timeout_s,
        )
        if reason is None:
            is_connected = session.state is SessionState.CONNECTED
            since = heard_at if is_connected else session.created_at
            limit_s = settings.consent_timeout_s if is_connected else settings.handshake_timeout_s
            self._overdue.set(session.number, since + limit_s)
        return reason

    def _is_too_fast(self, stream: LiveStream, now: float) -> bool:
        overrun_s = stream.overrun.lasts(stream.relay.over_bitrate, now)
        return overrun_s >= self._settings.overrun_timeout_s

    def _too_fast(self) -> str:
        """Why a publisher that sends too much is disconnected, for people."""
        limit = self._settings.max_publisher_bitrate_bps / 1_000_000
        return f"The encoder sent more than {limit:g} Mbit/s. Lower its bit rate and start again."

    def end_session(self, session: Session, reason: EndReason, now: float) -> None:
        """End one session, and tell its stream."""
        stream = self.streams[session.stream_id]
        was_connected = session.state is SessionState.CONNECTED
        self._forget(session, reason)
        if session.role is Role.VIEWER:
            del stream.viewers[session.number]
            if was_connected:
                stream.relay.remove_viewer(session.number)
                self._count_viewers(stream, -1)
        else:
            stream.publisher = None
            replaced = reason is EndReason.REPLACED
            self._interrupt(stream, StreamEvent.REPLACED if replaced else StreamEvent.LOST, now)

    def drop_feed(self, stream: LiveStream, now: float) -> None:
        """The feed of a stream is gone; where it has none, nothing changes."""
        if stream.feed is not None:
            self.traffic.remove_feed(stream.feed)
            stream.feed = None
            self._interrupt(stream, StreamEvent.LOST, now)

    def end_stream(
        self,
        stream: LiveStream,
        reason: str,
        publisher_reason: EndReason,
        *,
        held_s: float = 0.0,
    ) -> None:
        """End a stream and all of its sessions; `reason` is for people."""
        stream.on(StreamEvent.STOPPED)
        self._close(stream, reason, publisher_reason, held_s)

    def _on_closed(self, peer: Peer, now: float) -> None:
        failed = peer.session.dtls.state is DtlsState.FAILED
        reason = EndReason.HANDSHAKE_FAILED if failed else EndReason.PEER_CLOSED
        self.end_session(peer.session, reason, now)

    def _on_secured(self, peer: Peer, now: float) -> None:
        self.pending -= 1
        self._overdue.set(peer.session.number, now + self._settings.consent_timeout_s)
        if peer.session.role is Role.PUBLISHER:
            self._on_publisher_secured(peer.session, peer.stream, now)
        else:
            self._on_viewer_secured(peer.session, peer.stream, now)

    def _on_publisher_secured(self, session: Session, stream: LiveStream, now: float) -> None:
        self.drop_feed(stream, now)  # it was fed while its publisher was elsewhere
        specs = [track_spec(track) for track in session.published]
        self.connect(stream, session.number, session.published, specs, now)

    def connect(
        self,
        stream: LiveStream,
        source: int,
        published: Sequence[PublishedTrack],
        specs: Sequence[TrackSpec],
        now: float,
        *,
        told_by: int = RECEIVER_SSRC,
    ) -> None:
        """A stream has a source again, or for the first time: a publisher, or a feed. `told_by` is
        our SSRC in what it is told."""
        self.streams[stream.stream_id] = stream
        if stream.state is StreamState.STARTING:
            stream.live_at = now
        stream.on(StreamEvent.CONNECTED)
        stream.published = tuple(published)
        stream.relay.set_publisher(source, specs, now, told_by=told_by)
        for viewer in list(stream.viewers.values()):
            if not can_watch(viewer.watched, stream.published):
                self.end_session(viewer, EndReason.CODECS_CHANGED, now)
        self._on_event(StreamLive(stream.stream_id))

    def _on_viewer_secured(self, session: Session, stream: LiveStream, now: float) -> None:
        keys, address = session.dtls.keys, session.ice.selected
        if keys is None or address is None:
            raise ValueError("the viewer is not connected")
        stream.relay.add_viewer(Viewer(session.number, session.sent, keys, address), now)
        self._count_viewers(stream, 1)

    def _count_viewers(self, stream: LiveStream, change: int) -> None:
        stream.watching += change
        self._on_event(ViewersChanged(stream.stream_id, stream.watching))

    def _interrupt(self, stream: LiveStream, event: StreamEvent, now: float) -> None:
        was_live = stream.state is StreamState.LIVE
        stream.on(event)
        if was_live:
            stream.relay.publisher_gone(now)
            stream.interrupted_at = now
            self._on_event(StreamInterrupted(stream.stream_id))
        elif stream.state is StreamState.ENDED:
            del self.streams[stream.stream_id]
            self.traffic.forget(stream)

    def _close(
        self,
        stream: LiveStream,
        reason: str,
        publisher_reason: EndReason,
        held_s: float = 0.0,
    ) -> None:
        """Forget a stream that has ended, and the sessions it still has."""
        del self.streams[stream.stream_id]
        self.counters.ended_streams += stream.relay.totals
        if stream.publisher is not None:
            self._forget(stream.publisher, publisher_reason)
        for viewer in stream.viewers.values():
            self._forget(viewer, EndReason.STREAM_ENDED)
        for feed in (*stream.edges, *(() if stream.feed is None else (stream.feed,))):
            self.traffic.remove_feed(feed)
        self.traffic.forget(stream)
        if stream.live_at is not None:
            self._on_event(StreamEnded(stream.stream_id, reason, held_s))

    def _forget(self, session: Session, reason: EndReason) -> None:
        if session.state is not SessionState.CONNECTED:
            self.pending -= 1
        if session.role is Role.VIEWER:
            self.viewers -= 1
        self.traffic.remove(session)
        session.on(SessionEvent.ENDED)
        del self._sessions[session.session_id], self._by_number[session.number]
        self._overdue.discard(session.number)
        self.counters.sessions_ended[reason] += 1
        _logger.info(
            "media session ended",
            extra={
                "stream_id": str(session.stream_id),
                "role": session.role.value,
                "reason": reason.value,
            },
        )
