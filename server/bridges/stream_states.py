"""What happens in the media plane, told to the catalogue of streams and to the chat's rooms."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol
from uuid import UUID

from media.catalog import CatalogState, StreamCatalog
from media.events import MediaEvent, SessionsLost, StreamEnded, StreamInterrupted, StreamLive

log = logging.getLogger(__name__)

STATES: dict[type[MediaEvent], CatalogState] = {
    StreamLive: CatalogState.LIVE,
    StreamInterrupted: CatalogState.INTERRUPTED,
    StreamEnded: CatalogState.OFFLINE,
}


class Rooms(Protocol):
    """Who tells the viewers; the chat."""

    async def stream_state(
        self, stream_id: UUID, state: str, *, reconnect: bool = False, reason: str | None = None
    ) -> None: ...


class StreamStates:
    """Writes the latest state of each stream; what waits is bounded by the number of streams."""

    def __init__(self, catalog: StreamCatalog, rooms: Rooms) -> None:
        self._rooms = rooms
        self._waiting: dict[UUID, CatalogState] = {}
        self._live: dict[UUID, CatalogState] = {}
        """The last state of each stream that is not offline."""
        self._lost: set[UUID] = set()
        """Streams whose rooms are to hear that sessions were lost."""
        self._reasons: dict[UUID, str] = {}
        """Why each stream that waits to be offline ended."""
        self._woken = asyncio.Event()
        self._mark: dict[CatalogState, Callable[[UUID], Awaitable[None]]] = {
            CatalogState.LIVE: catalog.mark_live,
            CatalogState.INTERRUPTED: catalog.mark_interrupted,
            CatalogState.OFFLINE: catalog.mark_offline,
        }

    def on_event(self, event: MediaEvent) -> None:
        """Take a media event; returns at once."""
        stream_id = event.stream_id
        if isinstance(event, SessionsLost) and stream_id in self._live:
            self._lost.add(stream_id)
            self._write(stream_id, self._live[stream_id])
        elif (state := STATES.get(type(event))) is not None:
            self._write(stream_id, state)
        if isinstance(event, StreamEnded):
            self._reasons[stream_id] = event.reason

    def _write(self, stream_id: UUID, state: CatalogState) -> None:
        self._waiting[stream_id] = state
        self._reasons.pop(stream_id, None)
        if state is CatalogState.OFFLINE:
            self._live.pop(stream_id, None)
            self._lost.discard(stream_id)
        else:
            self._live[stream_id] = state
        self._woken.set()

    async def run(self) -> None:
        """Write until cancelled; what failed is tried again when this is called again."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            await self.flush()

    async def flush(self) -> None:
        """Write everything that waits. Raises what the stores raise; nothing is lost then."""
        while self._waiting:
            stream_id, state = next(iter(self._waiting.items()))
            try:
                await self._mark[state](stream_id)
                is_lost = stream_id in self._lost
                await self._rooms.stream_state(
                    stream_id, state.value, reconnect=is_lost, reason=self._reasons.get(stream_id)
                )
                if is_lost:
                    self._lost.discard(stream_id)
            except Exception:
                self._woken.set()
                raise
            if self._waiting.get(stream_id) is state:
                del self._waiting[stream_id]
                self._reasons.pop(stream_id, None)
            log.info("stream state", extra={"stream_id": str(stream_id), "state": state.value})
