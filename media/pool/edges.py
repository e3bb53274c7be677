"""The edges of a pool's streams: workers that pull a stream from its origin and fan it out.

Each edge has one feed at a time. It gets a new one, with new keys, whenever the origin's publisher
has come back or the stream has another origin; what that means for its viewers is what it means for
those at the origin.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

from media.errors import MediaRefusal, StreamRestarting
from media.feeds import FeedKeys, Link
from media.pool.client import WorkerFault
from media.pool.messages import Call, CloseFeed, OpenFeed, Pull, StopStream, Unlink
from media.pool.streams import PlacedStream
from media.relay.tracks import Address

Result = TypeVar("Result")

DROPPED: Final = "This media worker serves the stream no longer. Connect again."

FAILURES: Final = (MediaRefusal, WorkerFault)
"""Why a worker can't be made an edge."""

_logger = logging.getLogger(__name__)


class Workers(Protocol):
    """Who can be asked."""

    async def call(self, worker: str, call: Call[Result]) -> Result:
        """The worker's result. Raises MediaRefusal."""

    def feed_address(self, worker: str) -> Address:
        """Where other workers reach it. Raises StreamRestarting while it doesn't run."""


class _Edge:
    """One worker that has one stream as an edge, or is about to."""

    def __init__(self, now: float) -> None:
        self.lock = asyncio.Lock()
        self.feed: int | None = None
        self.origin = ""
        self.used_at = now


class Edges:
    """All of them. Refreshing and giving up go on in the background, in order for each edge."""

    def __init__(self, workers: Workers, *, linger_s: float) -> None:
        self._workers = workers
        self._linger_s = linger_s
        self._loop = asyncio.get_running_loop()
        self._edges: dict[tuple[UUID, str], _Edge] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._edges)

    def of(self, stream_id: UUID) -> list[str]:
        """The workers that are edges of a stream."""
        return [worker for known, worker in self._edges if known == stream_id]

    async def ensure(self, stream: PlacedStream, worker: str) -> None:
        """Return once the worker has the stream. Raises FAILURES."""
        key = stream.stream_id, worker
        edge = self._edges.get(key)
        if edge is None:
            edge = self._edges[key] = _Edge(self._loop.time())
        edge.used_at = self._loop.time()
        async with edge.lock:
            if edge.feed is not None:
                return
            try:
                await self._open(stream, worker, edge)
            except FAILURES:
                if self._edges.get(key) is edge:
                    del self._edges[key]
                raise

    def refresh(self, stream: PlacedStream) -> None:
        """The stream's publisher is connected (again): feed every edge anew."""
        for worker in self.of(stream.stream_id):
            key = stream.stream_id, worker
            if worker == stream.worker:
                del self._edges[key]  # it was an edge, and is the origin now
            else:
                self._in_background(self._refresh(stream, worker, self._edges[key]))

    def on_origin_lost(self, stream_id: UUID) -> None:
        """The origin died; viewers at the edges wait there."""
        for worker in self.of(stream_id):
            self._edges[stream_id, worker].feed = None
            self._in_background(self._workers.call(worker, Unlink(stream_id)))

    def on_ended(self, stream_id: UUID, reason: str) -> None:
        """The stream is over; its feeds ended with it at the origin."""
        for worker in self.of(stream_id):
            del self._edges[stream_id, worker]
            self._in_background(self._workers.call(worker, StopStream(stream_id, reason)))

    def on_worker_lost(self, lost: str) -> None:
        """A worker died, and the edges that it was."""
        for stream_id, worker in list(self._edges):
            if worker == lost:
                self._close_feed(stream_id, self._edges.pop((stream_id, worker)))

    def give_up(self, stream_id: UUID, worker: str) -> None:
        """Send an edge's viewers away; where it is none, nothing changes."""
        self._drop(stream_id, worker)

    def sweep(self, watching: Callable[[UUID, str], int]) -> None:
        """Give up edges that nobody has watched at for a while."""
        now = self._loop.time()
        for (stream_id, worker), edge in list(self._edges.items()):
            if watching(stream_id, worker) or edge.lock.locked():
                edge.used_at = now
            elif now - edge.used_at >= self._linger_s:
                self._drop(stream_id, worker)

    async def finish(self) -> None:
        """Wait for what goes on in the background, or end it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _refresh(self, stream: PlacedStream, worker: str, edge: _Edge) -> None:
        async with edge.lock:
            if self._edges.get((stream.stream_id, worker)) is not edge:
                return
            self._close_feed(stream.stream_id, edge)
            try:
                await self._open(stream, worker, edge)
            except FAILURES:
                # Without a feed its viewers would wait in vain: they find another place.
                self._drop(stream.stream_id, worker)
                raise

    async def _open(self, stream: PlacedStream, worker: str, edge: _Edge) -> None:
        origin = stream.worker
        if origin is None:
            raise StreamRestarting
        to_edge, to_origin = map(self._workers.feed_address, (worker, origin))
        number, keys = secrets.randbits(63), FeedKeys.fresh()
        stream_id = stream.stream_id
        feed = await self._workers.call(origin, OpenFeed(stream_id, Link(number, to_edge, keys)))
        edge.feed, edge.origin = number, origin
        link = Link(number, to_origin, keys)
        try:
            await self._workers.call(worker, Pull(stream_id, stream.publisher_id, link, feed))
        except FAILURES:
            self._close_feed(stream_id, edge)
            raise
        if self._edges.get((stream_id, worker)) is not edge:  # the stream ended in the meantime
            self._close_feed(stream_id, edge)
            await self._workers.call(worker, StopStream(stream_id, DROPPED))
            raise StreamRestarting

    def _drop(self, stream_id: UUID, worker: str) -> None:
        edge = self._edges.pop((stream_id, worker), None)
        if edge is not None:
            self._close_feed(stream_id, edge)
            self._in_background(self._workers.call(worker, StopStream(stream_id, DROPPED)))

    def _close_feed(self, stream_id: UUID, edge: _Edge) -> None:
        feed, edge.feed = edge.feed, None
        if feed is not None:
            self._in_background(self._workers.call(edge.origin, CloseFeed(stream_id, feed)))

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(_logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _logged(work: Awaitable[None]) -> None:
    """A worker that can't be asked has died or will be killed: the pool hears of that."""
    try:
        await work
    except MediaRefusal as refusal:
        _logger.warning("an edge could not be changed", extra={"reason": str(refusal)})
    except Exception:
        _logger.exception("an edge could not be changed")
