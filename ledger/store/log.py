"""The event log for its publisher, and the lock under which publishers take turns."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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
        turn = _Turn(connection, settings.statement_timeout_s)
        await turn.take(round(idle_ms))
        yield turn


class _Turn:
    """The event log on a connection whose transaction holds the publishers' lock."""

    def __init__(self, connection: PoolConnectionProxy, timeout_s: float) -> None:
        self._connection = connection
        self._timeout_s = timeout_s

    async def take(self, idle_ms: int) -> None:
        await self._fetch(SQL["take_turn"], str(idle_ms))

    async def read(self, limit: int) -> LogPage:
        # Two statements in this order: what ended before the first one is visible to the second.
        position = (await self._fetch(SQL["position"]))[0]
        rows = await self._fetch(SQL["batches"], position["cursor"], limit)
        return LogPage(**position, batches=tuple(map(_batch, rows)))

    async def next_transaction(self) -> int:
        rows = await self._fetch(SQL["next_transaction"])
        return int(rows[0]["transaction"])

    async def advance(self, sequence: int) -> None:
        await self._fetch(SQL["advance"], sequence)

    async def rewind(self, sequence: int) -> None:
        await self._fetch(SQL["rewind"], sequence)

    async def _fetch(self, query: str, *args: object) -> list[asyncpg.Record]:
        return await self._connection.fetch(query, *args, timeout=self._timeout_s)


def _batch(row: asyncpg.Record) -> LogBatch:
    return LogBatch(
        sequence=row["sequence"],
        event_count=row["event_count"],
        posted_at=row["posted_at"],
        events=row["events"].encode(),
    )
