"""The event log for its publisher, and the lock under which publishers take turns."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import starmap

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from config.sql import load_queries
from ledger.outbox import LONGEST_SHIFT_S, LogBatch, LogPage, LogShift
from ledger.recent import RecentBatches
from ledger.store.calls import Calls

SQL = load_queries("ledger", "sql/outbox.sql")


@asynccontextmanager
async def shift(calls: Calls, recent: RecentBatches) -> AsyncIterator[LogShift]:
    """The event log, for one publisher at a time; the errors are the driver's.

    `recent`: what this process commits, as it goes on.

    The lock is the connection's. Where anything fails, the connection is closed, and the lock with
    it: what the server did last is not known then.
    """
    settings = calls.settings
    idle_ms = 1000 * (
        LONGEST_SHIFT_S + settings.outbox.publish_timeout_s + settings.statement_timeout_s
    )
    async with calls.pool.acquire(timeout=settings.acquire_timeout_s) as connection:
        held = _Shift(connection, recent, round(idle_ms), settings.statement_timeout_s)
        try:
            yield held
            await held.end()
        except BaseException:
            connection.terminate()
            raise


class _Shift:
    """The event log on a connection that holds the publishers' lock once it has read.

    How far the cursor is to move is kept, and told with what is asked next. What this process has
    committed since the lock is held comes from `recent`, in front of it from the database: which
    may be another one after a failure, and know less.
    """

    def __init__(
        self,
        connection: PoolConnectionProxy,
        recent: RecentBatches,
        idle_ms: int,
        timeout_s: float,
    ) -> None:
        self._connection = connection
        self._recent = recent
        self._idle_ms = str(idle_ms)
        self._timeout_s = timeout_s
        self._cursor: int | None = None
        self._published: int | None = None

    async def read(self, limit: int) -> LogPage:
        if self._cursor is None:
            self._recent.clear()
        elif batches := self._recent.behind(self._cursor, limit):
            now = batches[-1].posted_at
            return LogPage(self._cursor, self._recent.newest, 0, 0, now, batches)
        idle_ms = self._idle_ms if self._cursor is None else None
        [row] = await self._fetch(SQL["begin_turn"], idle_ms, self._published, limit)
        self._published = None
        cursor, head, oldest_running, next_transaction, now, *columns = row
        self._cursor = cursor
        batches = tuple(starmap(_batch, zip(*(column or () for column in columns), strict=True)))
        return LogPage(cursor, head, oldest_running, next_transaction, now, batches)

    def move(self, sequence: int) -> None:
        self._cursor = self._published = sequence

    async def is_wanted(self) -> bool:
        [(wanted,)] = await self._fetch(SQL["is_wanted"], self._published)
        self._published = None
        return bool(wanted)

    async def end(self) -> None:
        """Write the cursor, then let the next publisher in."""
        if self._published is not None:
            await self._fetch(SQL["move_cursor"], self._published)
        if self._cursor is not None:
            await self._fetch(SQL["end_shift"])

    async def _fetch(self, query: str, *args: object) -> list[asyncpg.Record]:
        return await self._connection.fetch(query, *args, timeout=self._timeout_s)


def _batch(sequence: int, event_count: int, posted_at: datetime, events: str) -> LogBatch:
    return LogBatch(sequence, event_count, posted_at, events.encode())
