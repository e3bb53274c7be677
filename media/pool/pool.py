"""The media plane as several worker processes behind one door.

A stream is on one worker, and its viewers with it. A session's id begins with the name of its
worker, so a PATCH or DELETE finds it without a table; a worker that was started again knows none
of the sessions of the one before, so their URLs are gone with it.
"""

import asyncio
import secrets
from collections import Counter
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
from media.events import MediaEvent
from media.holds import Holds
from media.live import StreamStats
from media.negotiation import Patched
from media.pool.child import WorkerProcess
from media.pool.client import WorkerClient
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
from media.pool.placement import Load, place_stream
from media.pool.streams import PlacedState, PlacedStream, StreamTable
from media.transport.ice_secret import KEY_BYTES
from media.worker import Accepted

SWEEP_S: Final = 0.5
SETTLED_S: Final = 5.0
"""So long after it was placed, a stream is in what its worker tells of its load."""
HANDSHAKE_SLACK_S: Final = 2.0
"""A worker gives up a handshake at its next sweep after the time-out, and tells nobody."""

Result = TypeVar("Result")


class _Member:
    """A worker's process, what it told last, and what was asked of it since."""

    def __init__(self, process: WorkerProcess) -> None:
        self.process = process
        self.beat: Beat | None = None
        self._placed_at: list[float] = []
        self.admitted = 0
        """Viewers let in since the beat, and those who are being let in."""

    @property
    def client(self) -> WorkerClient | None:
        running = self.process.running
        return running.client if running is not None else None

    @property
    def viewer_sessions(self) -> int:
        return self.admitted + (self.beat.viewer_sessions if self.beat is not None else 0)

    def place(self, now: float) -> None:
        """A stream was placed here, whose packets are yet to come."""
        self._placed_at.append(now)

    def load(self, now: float) -> Load:
        beat = self.beat
        self._placed_at = [at for at in self._placed_at if now - at < SETTLED_S]
        return Load(
            worker=self.process.name,
            packets_per_s=beat.packets_per_s if beat is not None else 0.0,
            streams=beat.figures.streams if beat is not None else 0,
            placed=len(self._placed_at),
        )

    def reset(self, beat: Beat | None, in_flight: int) -> None:
        self.beat, self.admitted = beat, in_flight


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
        self._watching: Counter[str] = Counter()  # calls in flight, by worker
        self._streams = StreamTable(
            starting_s=settings.handshake_timeout_s + HANDSHAKE_SLACK_S,
            stranded_s=settings.reconnect_window_s,
        )
        ice_key = secrets.token_bytes(KEY_BYTES)
        self._members = {
            process.name: _Member(process)
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
        worker = self._place(self._streams.find(stream_id), publisher_id)
        self._streams.claim(stream_id, publisher_id, worker, now)
        try:
            return await self._accepted(worker, Publish(stream_id, publisher_id, offer))
        except MediaRefusal:
            self._streams.release(stream_id, worker)
            raise

    async def watch(self, stream_id: UUID, offer: str) -> Accepted:
        stream = self._streams.find(stream_id)
        if stream is None or stream.state is PlacedState.STARTING:
            raise StreamOffline
        if stream.worker is None or stream.state is PlacedState.STRANDED:
            raise StreamRestarting
        if self._viewer_sessions() >= self._settings.max_viewers:
            raise TooManyViewers(self._settings.max_viewers)
        member = self._members[stream.worker]
        name = stream.worker
        member.admitted += 1
        self._watching[name] += 1
        try:
            return await self._accepted(name, Watch(stream_id, offer))
        except MediaRefusal:
            member.admitted -= 1
            raise
        finally:
            self._watching[name] -= 1

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
            await self._call(stream.worker, StopStream(stream_id, reason))

    async def stats(self, stream_id: UUID) -> StreamStats | None:
        stream = self._streams.find(stream_id)
        if stream is None or stream.worker is None:
            return None
        stats = await self._call(stream.worker, ReadStats(stream_id))
        return replace(stats, viewers=stream.watching) if stats is not None else None

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

    def _place(self, stream: PlacedStream | None, publisher_id: UUID) -> str:
        """The worker for a publisher: the one that has the stream, or the least loaded one."""
        if stream is not None and stream.worker is not None:
            return stream.worker  # who may take the stream over is the worker's to decide
        if stream is None and len(self._streams) >= self._settings.max_streams:
            raise MediaUnavailable("This server has no room for another stream. Try again later.")
        if stream is not None and stream.publisher_id != publisher_id:
            raise StreamBusy
        serving = [each for each in self._members.values() if each.client is not None]
        now = self._loop.time()
        worker = place_stream([member.load(now) for member in serving])
        if worker is None:
            raise MediaUnavailable("No media worker serves now. Try again in a moment.")
        self._members[worker].place(now)
        return worker

    async def _accepted(self, worker: str, call: Call[Accepted]) -> Accepted:
        accepted = await self._call(worker, call)
        return replace(accepted, session_id=f"{worker}.{accepted.session_id}")

    async def _call(self, worker: str, call: Call[Result]) -> Result:
        client = self._members[worker].client
        if client is None:
            raise StreamRestarting
        return await client.call(call)

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
            self._members[worker].reset(told, self._watching[worker])
        else:
            self._tell(self._streams.apply(worker, told))

    def _on_down(self, worker: str, reason: str) -> None:
        self._members[worker].reset(None, 0)
        self._tell(self._streams.strand(worker, self._loop.time()))

    def _tell(self, events: Sequence[MediaEvent]) -> None:
        for event in events:
            self._on_event(event)

    def _sweep(self) -> None:
        self._timer = self._loop.call_later(SWEEP_S, self._sweep)
        self._tell(self._streams.expire(self._loop.time()))


def worker_settings(settings: MediaSettings, index: int) -> MediaSettings:
    """The settings of one worker: its own port, its share of the handshakes."""
    port = settings.udp_port + index if settings.udp_port else 0
    pending = -(-settings.max_pending_sessions // settings.workers)
    return settings.model_copy(update={"udp_port": port, "max_pending_sessions": pending})
