"""Reading the stream without a group: every reader gets every entry."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from redis.asyncio import Redis

from server.bus.stream import AWAY, STREAM_KEY, batches, outlast, place

MAX_ENTRIES = 64
BLOCK_MS = 1_000
BEGINNING = "0-0"


class TailReader:
    """Yields what is written from `open` on. While Redis is away, it waits."""

    def __init__(self, redis: Redis, *, key: str = STREAM_KEY) -> None:
        self._redis = redis
        self._key = key
        self._last_id: str | None = None
        self._was_away = False

    async def open(self) -> None:
        """Take the end of the stream as the place to begin at."""
        self._last_id = await outlast(self._end)

    async def entries(self) -> AsyncIterator[bytes]:
        """The batches, each a JSON array of events, without end; opens where that was not done.

        One caller at a time. A caller that stops goes on behind the last batch it was given.
        """
        if self._last_id is None:
            await self.open()
        while True:
            for entry_id, payload in await outlast(self._read):
                self._last_id = entry_id
                yield payload

    async def _read(self) -> list[tuple[str, bytes]]:
        try:
            if self._was_away:
                await self._step_back()
            answer: Any = await self._redis.xread(
                {self._key: self._last_id or BEGINNING}, count=MAX_ENTRIES, block=BLOCK_MS
            )
        except AWAY:
            self._was_away = True
            raise
        return [batch for _, entries in answer for batch in batches(entries)]

    async def _step_back(self) -> None:
        """A Redis that came back may have lost its last entries: what follows then is new.

        Without this the reader would wait behind an end that the stream may never reach again.
        """
        end = await self._end()
        if place(end) < place(self._last_id or BEGINNING):
            self._last_id = end
        self._was_away = False

    async def _end(self) -> str:
        newest = batches(await self._redis.xrevrange(self._key, count=1))
        return newest[0][0] if newest else BEGINNING
