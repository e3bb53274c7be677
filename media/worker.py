"""The media worker: sessions and streams behind one UDP port, in one event loop.

A stream outlives its publisher's session. When that session ends otherwise than by its own DELETE,
the stream is interrupted and waits for the publisher; viewers stay. A publisher that POSTs again
while its former session seems alive is refused (`stream_busy`), unless that session has been silent
for `takeover_silence_s`: then its program has most likely died, and the former session ends.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from config.media import MediaSettings
from media.counters import MediaCounters
from media.errors import (
    MediaUnavailable,
    PreconditionFailed,
    PreconditionRequired,
    StreamBusy,
    StreamOffline,
    TooManyViewers,
    UnknownSession,
)
from media.events import MediaEvent, StreamEnded, StreamInterrupted, StreamLive, ViewersChanged
from media.live import LiveStream, StreamEvent, StreamState, StreamStats
from media.negotiation import Negotiated, Negotiator, track_spec
from media.relay.datagrams import SegmentingSender
from media.relay.fanout import PythonFanout
from media.relay.stream import StreamRelay
from media.relay.tracks import Viewer
from media.session import EndReason, Role, Session, SessionState
from media.traffic import Peer, Traffic
from media.transport.certificate import DtlsCertificate
from media.transport.dtls import DtlsIdentity
from media.transport.udp import Batch, UdpSocket
from media.wire.negotiate import can_watch
from media.wire.sdpfrag import parse_credentials

TICK_S = 0.05
SWEEP_S = 0.5

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A new session: its id for the `Location`, its answer, its ETag."""

    session_id: str
    answer: str
    etag: str


@dataclass(frozen=True, slots=True)
class Patched:
    """What a PATCH did: 204 took candidates, 200 restarted ICE and has a body and a new ETag."""

    status: int
    etag: str
    body: str | None = None


class MediaWorker:
    """WHIP in, WHEP out. Every method but `start` and `stop` is synchronous; all of them belong to
    the event loop's thread. Events are told by `on_event`, in order, from within that thread."""

    def __init__(self, settings: MediaSettings, *, on_event: Callable[[MediaEvent], None]) -> None:
        self.counters = MediaCounters()
        self._settings = settings
        self._on_event = on_event
        self._streams: dict[UUID, LiveStream] = {}
        self._sessions: dict[str, Session] = {}
        self._socket: UdpSocket | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._next_sweep_at = 0.0

    async def start(self) -> None:
        """Bind the port and serve. Raises PortTaken with advice."""
        settings = self._settings
        self._loop = asyncio.get_running_loop()
        self._socket = UdpSocket.bind(settings.bind_host, settings.udp_port)
        self._sender = SegmentingSender(self._socket.raw)
        self._traffic = Traffic(self._socket.send, self.counters, on_secured=self._on_secured)
        self._negotiator = Negotiator(
            self._traffic.ice,
            DtlsIdentity(DtlsCertificate.generate(datetime.now(UTC))),
            [(address, self.port) for address in settings.public_addresses],
        )
        self._socket.start(self._on_batch)

    async def stop(self) -> None:
        """End every stream and free the port."""
        for stream in list(self._streams.values()):
            self._end_stream(stream, "The server stops.", EndReason.WORKER_STOPPED)
        if self._timer is not None:
            self._timer.cancel()
        if self._socket is not None:
            self._socket.close()

    @property
    def port(self) -> int:
        """The UDP port, once started."""
        if self._socket is None:
            raise RuntimeError("the media worker is not started")
        return self._socket.port

    def publish(self, stream_id: UUID, publisher_id: UUID, offer: str) -> Accepted:
        """Begin to publish; who may is the caller's matter.

        Raises InvalidSdp, NoMedia, NoCommonCodec, StreamBusy, MediaUnavailable.
        """
        now = self._loop.time()
        stream = self._streams.get(stream_id)
        if stream is not None:
            self._check_free(stream, publisher_id, now)
        elif len(self._streams) >= self._settings.max_streams:
            raise MediaUnavailable("This server has no room for another stream. Try again later.")
        self._check_pending()
        negotiated = self._negotiator.publisher(stream_id, offer, now)
        if stream is None:
            stream = self._new_stream(stream_id, publisher_id)
        elif stream.publisher is not None:
            self._end_session(stream.publisher, EndReason.REPLACED)
        stream.publisher = negotiated.session
        return self._accept(negotiated, stream)

    def watch(self, stream_id: UUID, offer: str) -> Accepted:
        """Begin to watch.

        Raises InvalidSdp, NoMedia, NoCommonCodec, StreamOffline, TooManyViewers, MediaUnavailable.
        """
        stream = self._streams.get(stream_id)
        if stream is None or not stream.is_watchable:
            raise StreamOffline
        viewers = sum(session.role is Role.VIEWER for session in self._sessions.values())
        if viewers >= self._settings.max_viewers:
            raise TooManyViewers(self._settings.max_viewers)
        self._check_pending()
        negotiated = self._negotiator.viewer(
            stream_id, offer, stream.published, stream.cname, self._loop.time()
        )
        stream.viewers[negotiated.session.number] = negotiated.session
        return self._accept(negotiated, stream)

    def patch_publisher(
        self, stream_id: UUID, session_id: str, fragment: str, if_match: str | None
    ) -> Patched:
        """Trickle or restart ICE of a WHIP session (RFC 9725 §4.3).

        Raises UnknownSession, PreconditionRequired, PreconditionFailed, InvalidSdp.
        """
        return self._patch(self._find(Role.PUBLISHER, stream_id, session_id), fragment, if_match)

    def patch_viewer(
        self, stream_id: UUID, session_id: str, fragment: str, if_match: str | None
    ) -> Patched:
        """The same for a WHEP session."""
        return self._patch(self._find(Role.VIEWER, stream_id, session_id), fragment, if_match)

    def end_publisher(self, stream_id: UUID, session_id: str) -> None:
        """The publisher stops, and with it the stream. Raises UnknownSession."""
        self._find(Role.PUBLISHER, stream_id, session_id)
        self._end_stream(self._streams[stream_id], "The publisher stopped.", EndReason.DELETED)

    def end_viewer(self, stream_id: UUID, session_id: str) -> None:
        """The viewer leaves. Raises UnknownSession."""
        self._end_session(self._find(Role.VIEWER, stream_id, session_id), EndReason.DELETED)

    def stop_stream(self, stream_id: UUID, reason: str) -> None:
        """End a stream and all of its sessions, if it is live here; `reason` is for people."""
        stream = self._streams.get(stream_id)
        if stream is not None:
            self._end_stream(stream, reason, EndReason.STREAM_ENDED)

    def stats(self, stream_id: UUID) -> StreamStats | None:
        """The figures of a stream that can be watched; None of any other."""
        stream = self._streams.get(stream_id)
        if stream is None or not stream.is_watchable:
            return None
        return stream.stats(self._loop.time())

    def viewers(self, stream_id: UUID) -> int:
        """Connected viewers of a stream."""
        stream = self._streams.get(stream_id)
        return stream.watching if stream is not None else 0

    def live(self) -> list[UUID]:
        """Streams that can be watched."""
        return [stream.stream_id for stream in self._streams.values() if stream.is_watchable]

    def _new_stream(self, stream_id: UUID, publisher_id: UUID) -> LiveStream:
        settings = self._settings
        fanout = PythonFanout(
            self._sender,
            cache_max_packets=settings.cache_max_packets,
            cache_max_bytes=settings.cache_max_bytes,
        )
        cname = secrets.token_urlsafe(12)
        relay = StreamRelay(fanout, settings=settings, cname=cname)
        stream = LiveStream(stream_id, publisher_id, relay, cname)
        self._streams[stream_id] = stream
        return stream

    def _check_free(self, stream: LiveStream, publisher_id: UUID, now: float) -> None:
        if stream.publisher_id != publisher_id:
            raise StreamBusy
        former = stream.publisher
        if former is not None and now - former.heard_at <= self._settings.takeover_silence_s:
            raise StreamBusy

    def _check_pending(self) -> None:
        connected = (SessionState.CONNECTED, SessionState.CLOSED)
        pending = sum(session.state not in connected for session in self._sessions.values())
        if pending >= self._settings.max_pending_sessions:
            raise MediaUnavailable("Too many sessions are connecting. Try again in a moment.")

    def _accept(self, negotiated: Negotiated, stream: LiveStream) -> Accepted:
        session = negotiated.session
        self._sessions[session.session_id] = session
        self._traffic.add(session, stream)
        self.counters.sessions_started[session.role] += 1
        if self._timer is None:
            self._timer = self._loop.call_later(TICK_S, self._tick)
        return Accepted(session.session_id, negotiated.answer, session.etag)

    def _find(self, role: Role, stream_id: UUID, session_id: str) -> Session:
        session = self._sessions.get(session_id)
        if session is None or (session.role, session.stream_id) != (role, stream_id):
            raise UnknownSession
        return session

    def _patch(self, session: Session, fragment: str, if_match: str | None) -> Patched:
        if if_match is None:
            raise PreconditionRequired
        credentials = parse_credentials(fragment)
        is_restart = credentials is not None and credentials != session.remote_ice
        tags = [tag.strip() for tag in if_match.split(",")]
        if tags != ["*"] and (is_restart or session.etag not in tags):
            raise PreconditionFailed(
                f'This session is at {session.etag}; an ICE restart needs If-Match: "*".'
            )
        if credentials is None or not is_restart:
            return Patched(204, session.etag)
        body = self._negotiator.restart(session, credentials)
        return Patched(200, session.etag, body)

    def _on_batch(self, batch: Batch) -> None:
        self._traffic.receive(batch, self._loop.time())

    def _tick(self) -> None:
        now = self._loop.time()
        self._traffic.tick(self._streams.values(), now)
        if now >= self._next_sweep_at:
            self._next_sweep_at = now + SWEEP_S
            self._sweep(now)
        self._timer = self._loop.call_later(TICK_S, self._tick) if self._streams else None

    def _sweep(self, now: float) -> None:
        settings = self._settings
        for session in list(self._sessions.values()):
            reason = session.end_reason(
                now,
                handshake_timeout_s=settings.handshake_timeout_s,
                consent_timeout_s=settings.consent_timeout_s,
            )
            if reason is not None and session.state is not SessionState.CLOSED:
                self._end_session(session, reason)
        for stream in list(self._streams.values()):
            if stream.is_expired(now, settings.reconnect_window_s):
                self._end_stream(
                    stream,
                    "The publisher did not come back.",
                    EndReason.STREAM_ENDED,
                    StreamEvent.EXPIRED,
                )

    def _on_secured(self, peer: Peer, now: float) -> None:
        if peer.session.role is Role.PUBLISHER:
            self._on_publisher_secured(peer.session, peer.stream, now)
        else:
            self._on_viewer_secured(peer.session, peer.stream, now)

    def _on_publisher_secured(self, session: Session, stream: LiveStream, now: float) -> None:
        stream.relay.set_publisher([track_spec(track) for track in session.published], now)
        stream.published = session.published
        if stream.state is StreamState.STARTING:
            stream.live_at = now
        stream.on(StreamEvent.CONNECTED)
        for viewer in list(stream.viewers.values()):
            if not can_watch(viewer.watched, stream.published):
                self._end_session(viewer, EndReason.CODECS_CHANGED)
        self._on_event(StreamLive(stream.stream_id))

    def _on_viewer_secured(self, session: Session, stream: LiveStream, now: float) -> None:
        keys, address = session.dtls.keys, session.ice.selected
        if keys is None or address is None:
            raise ValueError("a viewer is not connected")
        stream.relay.add_viewer(Viewer(session.number, session.sent, keys, address), now)
        stream.watching += 1
        self._on_event(ViewersChanged(stream.stream_id, stream.watching))

    def _end_session(self, session: Session, reason: EndReason) -> None:
        stream = self._streams[session.stream_id]
        was_connected = session.state is SessionState.CONNECTED
        self._traffic.remove(session)
        session.end()
        del self._sessions[session.session_id]
        self.counters.sessions_ended[reason] += 1
        _logger.info(
            "session ended",
            extra={"stream_id": str(stream.stream_id), "role": session.role, "reason": reason},
        )
        if session.role is Role.VIEWER:
            self._on_viewer_ended(session, stream, was_connected=was_connected)
        elif stream.state is not StreamState.ENDED:
            is_replaced = reason is EndReason.REPLACED
            self._on_publisher_gone(
                stream, StreamEvent.REPLACED if is_replaced else StreamEvent.LOST
            )

    def _on_viewer_ended(
        self, session: Session, stream: LiveStream, *, was_connected: bool
    ) -> None:
        del stream.viewers[session.number]
        if was_connected:
            stream.relay.remove_viewer(session.number)
            stream.watching -= 1
            self._on_event(ViewersChanged(stream.stream_id, stream.watching))

    def _on_publisher_gone(self, stream: LiveStream, event: StreamEvent) -> None:
        was = stream.state
        now = self._loop.time()
        stream.publisher = None
        stream.on(event)
        if was is StreamState.LIVE:
            stream.relay.publisher_gone(now)
            stream.interrupted_at = now
            self._on_event(StreamInterrupted(stream.stream_id))
        elif stream.state is StreamState.ENDED:
            del self._streams[stream.stream_id]

    def _end_stream(
        self,
        stream: LiveStream,
        reason: str,
        session_reason: EndReason,
        event: StreamEvent = StreamEvent.STOPPED,
    ) -> None:
        was_watchable = stream.is_watchable
        stream.on(event)
        if stream.publisher is not None:
            self._end_session(stream.publisher, session_reason)
        for viewer in list(stream.viewers.values()):
            self._end_session(viewer, EndReason.STREAM_ENDED)
        del self._streams[stream.stream_id]
        if was_watchable:
            self._on_event(StreamEnded(stream.stream_id, reason))
