"""The event log for its publisher, and the lock under which publishers take turns."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import starmap

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from config.sql import load_queries
from ledger.outbox import LogBatch, LogPage, LogTurn
from ledger.store.calls import Calls

SQL = load_queries("ledger", "sql/outbox.sql")


@asynccontextmanager
async def turn(calls: Calls) -> AsyncIterator[LogTurn]:
    """The event log, for one publisher at a time; the errors are the driver's."""
    settings = calls.settings
    idle_ms = 1000 * (settings.outbox.publish_timeout_s + settings.statement_timeout_s)
    async with (
        calls.pool.acquire(timeout=settings.acquire_timeout_s) as connection,
        connection.transaction(isolation="read_committed"),
    ):
        yield _Turn(connection, round(idle_ms), settings.statement_timeout_s)


class _Turn:
    """The event log on a connection whose transaction holds the publishers' lock once it reads."""

    def __init__(self, connection: PoolConnectionProxy, idle_ms: int, timeout_s: float) -> None:
        self._connection = connection
        self._idle_ms = str(idle_ms)
        self._timeout_s = timeout_s

    async def read(self, limit: int) -> LogPage:
        [row] = await self._fetch(SQL["read"], self._idle_ms, limit)
        cursor, head, oldest_running, now, *columns = row
        batches = zip(*(column or () for column in columns), strict=True)
        return LogPage(cursor, head, oldest_running, now, tuple(starmap(_batch, batches)))

    async def next_transaction(self) -> int:
        rows = await self._fetch(SQL["next_transaction"])
        return int(rows[0]["transaction"])

    async def advance(self, sequence: int) -> None:
        await self._fetch(SQL["advance"], sequence)

    async def rewind(self, sequence: int) -> None:
        await self._fetch(SQL["rewind"], sequence)

    async def _fetch(self, query: str, *args: object) -> list[asyncpg.Record]:
        return await self._connection.fetch(query, *args, timeout=self._timeout_s)


def _batch(sequence: int, event_count: int, posted_at: datetime, events: str) -> LogBatch:
    return LogBatch(sequence, event_count, posted_at, events.encode())
