"""The media worker: WHIP in and WHEP out behind one UDP port, in one event loop.

A publisher that POSTs again while its former session seems alive is refused (`stream_busy`), unless
that session has been silent for `takeover_silence_s`: then its program has most likely died, and
the former session ends in favour of the new one.
"""

import asyncio
import itertools
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from config.media import MediaSettings
from media.cascade import Cascade
from media.counters import MediaCounters
from media.errors import MediaUnavailable, StreamBusy, StreamHeld, StreamOffline, TooManyViewers
from media.events import MediaEvent
from media.live import LiveStream, StreamStats
from media.negotiation import Negotiated, Negotiator, Patched
from media.planes import make_plane
from media.registry import Registry
from media.relay.relay_times import RelayTimes
from media.relay.stats import RelayTotals
from media.relay.stream import StreamRelay
from media.session import EndReason, Role
from media.transport.certificate import DtlsCertificate
from media.transport.dtls import DtlsIdentity
from media.transport.ice_lite import IceLite
from media.transport.ice_secret import KEY_BYTES, IceSecret

TICK_S = 0.05
CROWD = 50
CROWD_TICK_S = 0.01
"""Streams with more viewers than `CROWD` get their reports in smaller portions, so that other work
need not wait for long."""
SWEEP_S = 0.1


@dataclass(frozen=True, slots=True)
class Accepted:
    """A new session: its id for the `Location`, its answer, its ETag."""

    session_id: str
    answer: str
    etag: str


class MediaWorker:
    """Made, started and used in one event loop's thread; all but `start` and `stop` is synchronous.

    `on_event` is called in that thread, in the order of the events. `counters` are totals. With the
    `ice_key` of a worker that is gone, the peers of that one are told so.
    """

    def __init__(
        self,
        settings: MediaSettings,
        *,
        on_event: Callable[[MediaEvent], None],
        ice_key: bytes | None = None,
    ) -> None:
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._plane = make_plane(settings)
        ice = IceLite(IceSecret(ice_key or secrets.token_bytes(KEY_BYTES)))
        self._registry = Registry(settings, self._plane, ice, on_event=on_event)
        self.cascade = Cascade(self._registry, self._new_stream)
        """Streams that other workers pull from here, or that are pulled from others."""
        self._identity = DtlsIdentity(DtlsCertificate.generate(datetime.now(UTC)))
        self._timer: asyncio.TimerHandle | None = None
        self._next_sweep_at = 0.0
        self._next_round_at = 0.0
        self._stream_numbers = itertools.count(1)

    async def start(self) -> None:
        """Bind the port and serve. Raises PortTaken with advice."""
        self._plane.open(self._registry.traffic)
        self._negotiator = Negotiator(
            self._registry.traffic.ice,
            self._identity,
            [(address, self.port) for address in self._settings.public_addresses],
            viewer_transport_cc=self._settings.viewer_transport_cc,
        )

    async def stop(self) -> None:
        """End every stream and free the port."""
        for stream in list(self._registry.streams.values()):
            self._registry.end_stream(stream, "The server stops.", EndReason.WORKER_STOPPED)
        if self._timer is not None:
            self._timer.cancel()
        self._plane.close()

    @property
    def port(self) -> int:
        """The UDP port. Raises RuntimeError before the start and after the stop."""
        return self._plane.port

    @property
    def plane(self) -> str:
        """Which data plane it has: `native` or `python`."""
        return self._plane.kind

    @property
    def counters(self) -> MediaCounters:
        """What was counted since the worker was made, as it is now."""
        return self._registry.counters.with_plane(self._plane.counts())

    def relay_times(self) -> RelayTimes:
        """How long packets spent in here; without buckets where the plane does not measure it."""
        return self._plane.relay_times()

    def publish(self, stream_id: UUID, publisher_id: UUID, offer: str) -> Accepted:
        """Begin to publish; who may is the caller's matter.

        Raises InvalidSdp, NoMedia, NoCommonCodec, StreamBusy, StreamHeld, MediaUnavailable.
        """
        now = self._loop.time()
        if left_s := self._registry.holds.left_s(stream_id, now):
            raise StreamHeld(left_s)
        streams = self._registry.streams
        stream = streams.get(stream_id)
        if stream is not None:
            self._check_free(stream, publisher_id, now)
        elif len(streams) >= self._settings.max_streams:
            raise MediaUnavailable("This server has no room for another stream. Try again later.")
        self._check_pending()
        negotiated = self._negotiator.publisher(stream_id, offer, now)
        if stream is None:
            stream = self._new_stream(stream_id, publisher_id, secrets.token_urlsafe(12))
        elif stream.publisher is not None:
            self._registry.end_session(stream.publisher, EndReason.REPLACED, now)
        return self._accept(negotiated, stream)

    def watch(self, stream_id: UUID, offer: str) -> Accepted:
        """Begin to watch.

        Raises InvalidSdp, NoMedia, NoCommonCodec, StreamOffline, TooManyViewers, MediaUnavailable.
        """
        stream = self._watchable(stream_id)
        if stream is None:
            raise StreamOffline
        if self._registry.viewers >= self._settings.max_viewers:
            raise TooManyViewers(self._settings.max_viewers)
        self._check_pending()
        negotiated = self._negotiator.viewer(
            stream_id, offer, stream.published, stream.cname, self._loop.time()
        )
        return self._accept(negotiated, stream)

    def patch_publisher(
        self, stream_id: UUID, session_id: str, fragment: str, if_match: str | None
    ) -> Patched:
        """Trickle or restart ICE of a WHIP session (RFC 9725 §4.3).

        Raises UnknownSession, PreconditionRequired, PreconditionFailed, InvalidSdp.
        """
        session = self._registry.find(Role.PUBLISHER, stream_id, session_id)
        return self._negotiator.patch(session, fragment, if_match)

    def patch_viewer(
        self, stream_id: UUID, session_id: str, fragment: str, if_match: str | None
    ) -> Patched:
        """The same for a WHEP session."""
        session = self._registry.find(Role.VIEWER, stream_id, session_id)
        return self._negotiator.patch(session, fragment, if_match)

    def end_publisher(self, stream_id: UUID, session_id: str) -> None:
        """The publisher stops, and with it the stream. Raises UnknownSession."""
        self._registry.find(Role.PUBLISHER, stream_id, session_id)
        self._end_stream(stream_id, "The publisher stopped.", EndReason.DELETED)

    def end_viewer(self, stream_id: UUID, session_id: str) -> None:
        """The viewer leaves. Raises UnknownSession."""
        session = self._registry.find(Role.VIEWER, stream_id, session_id)
        self._registry.end_session(session, EndReason.DELETED, self._loop.time())

    def stop_stream(self, stream_id: UUID, reason: str, *, hold: bool = False) -> None:
        """End a stream and its sessions, where it is live here; `reason` is for people.

        With `hold` it can't be published again for `stop_hold_s`: encoders reconnect by themselves.
        """
        if hold:
            now = self._loop.time()
            self._registry.holds.begin(stream_id, now + self._settings.stop_hold_s, now)
        self._end_stream(stream_id, reason, EndReason.STREAM_ENDED)

    def stats(self, stream_id: UUID) -> StreamStats | None:
        """The figures of a stream that can be watched; None of any other."""
        stream = self._watchable(stream_id)
        return stream.stats(self._loop.time()) if stream is not None else None

    @property
    def viewer_sessions(self) -> int:
        """Viewers' sessions, connected or connecting."""
        return self._registry.viewers

    def deaf_feeds(self) -> tuple[UUID, ...]:
        """Streams pulled from other workers of which nothing comes."""
        return self.cascade.deaf(self._loop.time(), self._settings.consent_timeout_s)

    def totals(self) -> RelayTotals:
        """What this worker has relayed, streams that ended included."""
        relays = (stream.relay.totals for stream in self._registry.streams.values())
        return sum(relays, start=self._registry.counters.ended_streams)

    def viewers(self, stream_id: UUID) -> int:
        """Connected viewers of a stream."""
        stream = self._watchable(stream_id)
        return stream.watching if stream is not None else 0

    def live(self) -> list[UUID]:
        """The streams that can be watched."""
        return [stream_id for stream_id in self._registry.streams if self._watchable(stream_id)]

    def _watchable(self, stream_id: UUID) -> LiveStream | None:
        stream = self._registry.streams.get(stream_id)
        return stream if stream is not None and stream.is_watchable else None

    def _check_free(self, stream: LiveStream, publisher_id: UUID, now: float) -> None:
        if stream.publisher_id != publisher_id:
            raise StreamBusy
        former = stream.publisher
        if former is None:
            return
        if now - self._registry.traffic.heard_at(former) <= self._settings.takeover_silence_s:
            raise StreamBusy

    def _check_pending(self) -> None:
        if self._registry.pending >= self._settings.max_pending_sessions:
            raise MediaUnavailable("Too many sessions are connecting. Try again in a moment.")

    def _new_stream(self, stream_id: UUID, publisher_id: UUID, cname: str) -> LiveStream:
        number = next(self._stream_numbers)
        relay = StreamRelay(
            self._plane.stream(number),
            settings=self._settings,
            cname=cname,
            dropped=self._registry.counters.dropped,
        )
        if self._timer is None:
            self._timer = self._loop.call_later(TICK_S, self._tick)
        return LiveStream(number, stream_id, publisher_id, relay, cname)

    def _accept(self, negotiated: Negotiated, stream: LiveStream) -> Accepted:
        self._registry.add(negotiated.session, stream)
        session = negotiated.session
        return Accepted(session.session_id, negotiated.answer, session.etag)

    def _end_stream(self, stream_id: UUID, reason: str, publisher_reason: EndReason) -> None:
        stream = self._registry.streams.get(stream_id)
        if stream is not None:
            self._registry.end_stream(stream, reason, publisher_reason)

    def _tick(self) -> None:
        """Runs while there are streams; an idle worker has no timer."""
        now = self._loop.time()
        streams = self._registry.streams
        crowds = [stream for stream in streams.values() if stream.watching > CROWD]
        # First of all, so that a bug below is logged by the loop, but stops no other stream.
        tick_s = CROWD_TICK_S if crowds else TICK_S
        self._timer = self._loop.call_later(tick_s, self._tick) if streams else None
        traffic = self._registry.traffic
        if now >= self._next_round_at:
            self._next_round_at = now + TICK_S
            traffic.on_timer(now)
            traffic.poll(streams.values(), now)
        else:
            traffic.poll(crowds, now)
        if now >= self._next_sweep_at:
            self._next_sweep_at = now + SWEEP_S
            self._registry.sweep(now)
