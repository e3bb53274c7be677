"""The media plane in this process: the door in front of one worker."""

import time
from collections.abc import Callable, Sequence
from uuid import UUID

from config.media import MediaSettings
from media.door import MediaDown, WorkerFigures
from media.events import MediaEvent
from media.live import StreamStats
from media.negotiation import Patched
from media.worker import Accepted, MediaWorker

NAME = "1"


class BusyMeter:
    """CPU seconds a second of this process, between two looks at least `STEP_S` apart."""

    STEP_S = 1.0

    def __init__(self) -> None:
        self._at, self._used = time.monotonic(), time.process_time()
        self._busy = 0.0

    def read(self) -> float:
        """The share of one core since the last look, or the last share where that is too near."""
        now = time.monotonic()
        if now - self._at >= self.STEP_S:
            used = time.process_time()
            self._busy = (used - self._used) / (now - self._at)
            self._at, self._used = now, used
        return self._busy


def worker_figures(worker: MediaWorker, busy: BusyMeter) -> WorkerFigures:
    """The figures of a worker in this process."""
    live, pulled = worker.live(), worker.cascade.pulled
    return WorkerFigures(
        streams=len(live) - pulled,
        pulled=pulled,
        viewers=sum(worker.viewers(stream_id) for stream_id in live),
        busy=busy.read(),
        totals=worker.totals(),
        counters=worker.counters,
        relay_times=worker.relay_times().histogram(),
    )


class LocalMedia:
    """A `MediaDoor`. A call is done when it returns: nothing here waits."""

    restarts = 0

    def __init__(self, settings: MediaSettings, *, on_event: Callable[[MediaEvent], None]) -> None:
        self._worker = MediaWorker(settings, on_event=on_event)
        self._busy = BusyMeter()

    async def start(self) -> None:
        await self._worker.start()

    async def stop(self) -> None:
        await self._worker.stop()

    async def check(self) -> None:
        try:
            _ = self._worker.port
        except RuntimeError as error:
            raise MediaDown("the media worker has no socket") from error

    async def publish(self, stream_id: UUID, publisher_id: UUID, offer: str) -> Accepted:
        return self._worker.publish(stream_id, publisher_id, offer)

    async def watch(self, stream_id: UUID, offer: str) -> Accepted:
        return self._worker.watch(stream_id, offer)

    async def patch_publisher(
        self, stream_id: UUID, session_id: str, fragment: str, if_match: str | None
    ) -> Patched:
        return self._worker.patch_publisher(stream_id, session_id, fragment, if_match)

    async def patch_viewer(
        self, stream_id: UUID, session_id: str, fragment: str, if_match: str | None
    ) -> Patched:
        return self._worker.patch_viewer(stream_id, session_id, fragment, if_match)

    async def end_publisher(self, stream_id: UUID, session_id: str) -> None:
        self._worker.end_publisher(stream_id, session_id)

    async def end_viewer(self, stream_id: UUID, session_id: str) -> None:
        self._worker.end_viewer(stream_id, session_id)

    async def stop_stream(self, stream_id: UUID, reason: str, *, hold: bool = False) -> None:
        self._worker.stop_stream(stream_id, reason, hold=hold)

    async def stats(self, stream_id: UUID) -> StreamStats | None:
        return self._worker.stats(stream_id)

    @property
    def ports(self) -> Sequence[int]:
        return (self._worker.port,)

    def live(self) -> list[UUID]:
        return self._worker.live()

    def viewers(self, stream_id: UUID) -> int:
        return self._worker.viewers(stream_id)

    def figures(self) -> dict[str, WorkerFigures]:
        return {NAME: worker_figures(self._worker, self._busy)}
