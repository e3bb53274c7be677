"""The media plane as several worker processes behind one door.

A stream is on one worker, its origin; where it outgrows that, others are its edges. A session's id
begins with the name of its worker, so a PATCH or DELETE finds it without a table; a worker that was
started again knows none of the sessions of the one before, so their URLs are gone with it.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeVar
from uuid import UUID

from config.media import MediaSettings
from media.door import MediaDown, WorkerFigures
from media.errors import (
    MediaRefusal,
    MediaUnavailable,
    StreamBusy,
    StreamHeld,
    StreamOffline,
    StreamRestarting,
    TooManyViewers,
    UnknownSession,
)
from media.events import MediaEvent, SessionsLost, StreamEnded, StreamLive
from media.holds import Holds
from media.live import StreamStats
from media.negotiation import Patched
from media.pool.child import WorkerProcess
from media.pool.client import WorkerClient
from media.pool.edges import FAILURES, Edges
from media.pool.member import Member
from media.pool.messages import (
    Beat,
    Call,
    EndPublisher,
    EndViewer,
    PatchPublisher,
    PatchViewer,
    Publish,
    ReadStats,
    StopStream,
    Told,
    Watch,
)
from media.pool.placement import Limits, place_stream, place_viewer
from media.pool.streams import PlacedState, PlacedStream, StreamTable
from media.relay.tracks import Address
from media.transport.ice_secret import KEY_BYTES
from media.worker import Accepted

SWEEP_S: Final = 0.5
HANDSHAKE_SLACK_S: Final = 2.0
"""A worker gives up a handshake at its next sweep after the time-out, and tells nobody."""

NO_EDGE_S: Final = 60.0
"""So long a worker whom feeds don't reach is left alone; its viewers find another place."""

Result = TypeVar("Result")

_logger = logging.getLogger(__name__)


class MediaPool:
    """A `MediaDoor` of `settings.workers` processes, each run by `command`."""

    def __init__(
        self,
        settings: MediaSettings,
        command: Sequence[str],
        *,
        on_event: Callable[[MediaEvent], None],
    ) -> None:
        self._settings = settings
        self._on_event = on_event
        self._loop = asyncio.get_running_loop()
        self._holds = Holds()
        self._limits = Limits(settings.cascade_viewers, settings.cascade_busy)
        self._streams = StreamTable(
            starting_s=settings.handshake_timeout_s + HANDSHAKE_SLACK_S,
            stranded_s=settings.reconnect_window_s,
        )
        ice_key = secrets.token_bytes(KEY_BYTES)
        # A viewer who is still connecting has not been counted yet.
        self._edges = Edges(self, linger_s=settings.handshake_timeout_s + HANDSHAKE_SLACK_S)
        self._members = {
            process.name: Member(process)
            for process in (
                WorkerProcess(
                    str(index + 1),
                    command,
                    worker_settings(settings, index),
                    ice_key,
                    on_told=self._on_told,
                    on_down=self._on_down,
                )
                for index in range(settings.workers)
            )
        }
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Start every worker. Raises PortTaken, WorkerFailed; then none runs."""
        starts = [member.process.start() for member in self._members.values()]
        outcomes = await asyncio.gather(*starts, return_exceptions=True)
        failures = [each for each in outcomes if isinstance(each, BaseException)]
        if failures:
            await self.stop()
            raise failures[0]
        self._sweep()

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self._edges.finish()
        await asyncio.gather(*(member.process.stop() for member in self._members.values()))
        for stream_id in self._streams.live():
            self._tell(self._streams.end(stream_id, "The server stops."))

    async def check(self) -> None:
        if not any(member.client is not None for member in self._members.values()):
            raise MediaDown("no media worker answers")

    async def publish(self, stream_id: UUID, publisher_id: UUID, offer: str) -> Accepted:
        now = self._loop.time()
        if left_s := self._holds.left_s(stream_id, now):
            raise StreamHeld(left_s)
        worker = self._publisher_s_worker(self._streams.find(stream_id), publisher_id)
        self._streams.claim(stream_id, publisher_id, worker, now)
        is_taken = False
        try:
            accepted = await self._accepted(worker, Publish(stream_id, publisher_id, offer))
            is_taken = True
        finally:
            self._streams.settle(stream_id, worker, is_taken=is_taken)
        return accepted

    async def watch(self, stream_id: UUID, offer: str) -> Accepted:
        stream = self._streams.find(stream_id)
        if stream is None or stream.state is PlacedState.STARTING:
            raise StreamOffline
        if self._viewer_sessions() >= self._settings.max_viewers:
            raise TooManyViewers(self._settings.max_viewers)
        member = self._members[await self._viewer_s_worker(stream)]
        member.admitting += 1
        try:
            accepted = await self._accepted(member.name, Watch(stream_id, offer))
        finally:
            member.admitting -= 1
        member.admitted(stream_id, self._loop.time())
        return accepted

    async def patch_publisher(
        self, stream_id: UUID, session_id: str, fragment: str, if_match: str | None
    ) -> Patched:
        client, session_id = self._session(session_id)
        return await client.call(PatchPublisher(stream_id, session_id, fragment, if_match))

    async def patch_viewer(
        self, stream_id: UUID, session_id: str, fragment: str, if_match: str | None
    ) -> Patched:
        client, session_id = self._session(session_id)
        return await client.call(PatchViewer(stream_id, session_id, fragment, if_match))

    async def end_publisher(self, stream_id: UUID, session_id: str) -> None:
        client, session_id = self._session(session_id)
        await client.call(EndPublisher(stream_id, session_id))

    async def end_viewer(self, stream_id: UUID, session_id: str) -> None:
        client, session_id = self._session(session_id)
        await client.call(EndViewer(stream_id, session_id))

    async def stop_stream(self, stream_id: UUID, reason: str, *, hold: bool = False) -> None:
        if hold:
            now = self._loop.time()
            self._holds.begin(stream_id, now + self._settings.stop_hold_s, now)
        stream = self._streams.find(stream_id)
        if stream is None:
            return
        if stream.worker is None:
            self._tell(self._streams.end(stream_id, reason))
        else:
            await self.call(stream.worker, StopStream(stream_id, reason))

    async def stats(self, stream_id: UUID) -> StreamStats | None:
        stream = self._streams.find(stream_id)
        if stream is None or stream.worker is None:
            return None
        stats = await self.call(stream.worker, ReadStats(stream_id))
        if stats is None:
            return None
        for edge in self._edges.of(stream_id):
            with contextlib.suppress(MediaRefusal):
                stats = add_edge(stats, await self.call(edge, ReadStats(stream_id)))
        return replace(stats, viewers=stream.watching)

    @property
    def ports(self) -> Sequence[int]:
        running = (member.process.running for member in self._members.values())
        return tuple(each.port for each in running if each is not None)

    @property
    def restarts(self) -> int:
        return sum(member.process.restarts for member in self._members.values())

    def live(self) -> list[UUID]:
        return self._streams.live()

    def viewers(self, stream_id: UUID) -> int:
        stream = self._streams.find(stream_id)
        return stream.watching if stream is not None else 0

    def figures(self) -> dict[str, WorkerFigures]:
        return {
            name: member.beat.figures
            for name, member in self._members.items()
            if member.beat is not None
        }

    async def call(self, worker: str, call: Call[Result]) -> Result:
        """What a worker answers. Raises MediaRefusal, WorkerFault."""
        client = self._members[worker].client
        if client is None:
            raise StreamRestarting
        return await client.call(call)

    def feed_address(self, worker: str) -> Address:
        """Where other workers reach this one. Raises StreamRestarting while it doesn't run."""
        running = self._members[worker].process.running
        if running is None:
            raise StreamRestarting
        return running.feed_address

    def _publisher_s_worker(self, stream: PlacedStream | None, publisher_id: UUID) -> str:
        """The one that has the stream; or one that has viewers of it; or the least loaded one."""
        if stream is not None and stream.worker is not None:
            return stream.worker  # who may take the stream over is the worker's to decide
        if stream is None and len(self._streams) >= self._settings.max_streams:
            raise MediaUnavailable("This server has no room for another stream. Try again later.")
        if stream is not None and stream.publisher_id != publisher_id:
            raise StreamBusy
        serving = self._serving()
        if stream is not None and stream.watching:
            watched = max(serving, key=lambda each: stream.viewers.get(each.name, 0))
            return watched.name
        now = self._loop.time()
        worker = place_stream([member.load(now) for member in serving])
        if worker is None:
            raise MediaUnavailable("No media worker serves now. Try again in a moment.")
        self._members[worker].placed(now)
        return worker

    async def _viewer_s_worker(self, stream: PlacedStream) -> str:
        """A worker that has the stream, or has it now. Raises StreamRestarting."""
        homes = set(self._edges.of(stream.stream_id))
        has_origin = stream.worker is not None and stream.state is not PlacedState.STRANDED
        if has_origin:
            homes.add(str(stream.worker))
        now = self._loop.time()
        hosts = [
            member.host(stream, serves=member.name in homes, now=now)
            for member in self._serving()
            if has_origin or member.name in homes
        ]
        worker = place_viewer(hosts, self._limits)
        if worker is None:
            raise StreamRestarting
        if has_origin and worker != stream.worker:
            try:
                await self._edges.ensure(stream, worker)
            except FAILURES as failure:
                _logger.warning("no further edge", extra={"worker": worker, "reason": str(failure)})
                return stream.worker or worker
        return worker

    def _serving(self) -> list[Member]:
        return [member for member in self._members.values() if member.client is not None]

    async def _accepted(self, worker: str, call: Call[Accepted]) -> Accepted:
        accepted = await self.call(worker, call)
        return replace(accepted, session_id=f"{worker}.{accepted.session_id}")

    def _session(self, session_id: str) -> tuple[WorkerClient, str]:
        """The worker that made a session, and the session's name there. Raises UnknownSession."""
        worker, _, own_id = session_id.partition(".")
        member = self._members.get(worker)
        if member is None or member.client is None:
            raise UnknownSession
        return member.client, own_id

    def _viewer_sessions(self) -> int:
        return sum(member.viewer_sessions for member in self._members.values())

    def _on_told(self, worker: str, told: Told) -> None:
        if isinstance(told, Beat):
            self._on_beat(self._members[worker], told)
            return
        events = self._streams.apply(worker, told)
        self._tell(events)
        stream = self._streams.find(told.stream_id)
        if stream is not None and isinstance(told, StreamLive) and told in events:
            self._edges.refresh(stream)

    def _on_beat(self, member: Member, beat: Beat) -> None:
        now = self._loop.time()
        member.on_beat(beat, now)
        for stream_id in beat.deaf:
            stream = self._streams.find(stream_id)
            if stream is not None and stream.state is PlacedState.LIVE:
                _logger.error(
                    "a worker does not hear the stream that it pulls from another: is the way"
                    " between their UDP ports open (media.feed_address)?",
                    extra={"worker": member.name, "stream_id": str(stream_id)},
                )
                member.no_edge_until = now + NO_EDGE_S
                self._edges.give_up(stream_id, member.name)

    def _on_down(self, worker: str, reason: str) -> None:
        self._members[worker].on_down()
        self._edges.on_worker_lost(worker)
        self._tell(self._streams.strand(worker, self._loop.time()))

    def _tell(self, events: Sequence[MediaEvent]) -> None:
        for event in events:
            if isinstance(event, StreamEnded):
                self._edges.on_ended(event.stream_id, event.reason)
                if event.held_s:  # at whichever worker it would come back
                    now = self._loop.time()
                    self._holds.begin(event.stream_id, now + event.held_s, now)
            elif isinstance(event, SessionsLost):
                stream = self._streams.find(event.stream_id)
                if stream is not None and stream.state is PlacedState.STRANDED:
                    self._edges.on_origin_lost(event.stream_id)
            self._on_event(event)

    def _sweep(self) -> None:
        self._timer = self._loop.call_later(SWEEP_S, self._sweep)
        self._tell(self._streams.expire(self._loop.time()))
        self._edges.sweep(self._watching)

    def _watching(self, stream_id: UUID, worker: str) -> int:
        stream = self._streams.find(stream_id)
        return stream.viewers.get(worker, 0) if stream is not None else 0


def add_edge(origin: StreamStats, edge: StreamStats | None) -> StreamStats:
    """The figures of a stream over its origin and an edge: what went to viewers adds up."""
    if edge is None:
        return origin
    return replace(
        origin,
        packets_forwarded=origin.packets_forwarded + edge.packets_forwarded,
        packets_dropped=origin.packets_dropped + edge.packets_dropped,
        packets_resent=origin.packets_resent + edge.packets_resent,
    )


def worker_settings(settings: MediaSettings, index: int) -> MediaSettings:
    """The settings of one worker: its own port, its share of the handshakes."""
    port = settings.udp_port + index if settings.udp_port else 0
    pending = -(-settings.max_pending_sessions // settings.workers)
    return settings.model_copy(update={"udp_port": port, "max_pending_sessions": pending})
