"""Appending to streams and reading them.

An append says at which version it expects the stream, so two writers that decided on the same past
can't both be right (optimistic concurrency): the second is refused with VersionConflict. An append
that is sent again, because its answer was lost, is recognised by the ids of its events.

Reads are bounded pages. Positions count all events in the order of their commits, without holes.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from config.sql import load_queries
from ledger.event_store.catalogue import (
    Catalogue,
    NewEvent,
    RawEvent,
    StoredEvent,
    to_fields,
)
from ledger.event_store.database import Database, Transaction, values_of
from ledger.event_store.errors import VersionConflict

SQL = load_queries("ledger", "sql/event_store.sql")
PAGE_EVENTS = 500


@dataclass(frozen=True, slots=True)
class CursorFigures:
    """How far a consumer is, and how many events it has not read."""

    consumer: str
    position: int
    behind: int
    moved_at: datetime


class EventStore:
    """The streams; everything raises LedgerBusy, and reads UnreadableEvent."""

    def __init__(self, database: Database, catalogue: Catalogue) -> None:
        self._database = database
        self._catalogue = catalogue

    async def append(
        self,
        transaction: Transaction,
        stream_id: str,
        expected_version: int,
        events: Sequence[NewEvent],
        now: datetime,
    ) -> int:
        """Append to a stream that is at `expected_version` (0: new); its version after that.

        Let it be the last statement of its transaction: appends wait for each other from here to
        the commit. Raises VersionConflict.
        """
        [row] = await transaction.fetch(
            SQL["append"], stream_id, expected_version, now, [_to_json(each) for each in events]
        )
        if row["result"] == "conflict":
            raise VersionConflict(stream_id, expected_version, row["version"])
        return int(row["version"])

    async def read_stream(
        self, stream_id: str, from_version: int = 1, limit: int = PAGE_EVENTS
    ) -> list[StoredEvent]:
        """Up to `limit` events of a stream, from `from_version` on."""
        rows = await self._database.fetch(SQL["stream"], stream_id, from_version, limit)
        return [self._catalogue.read(RawEvent(**values_of(row))) for row in rows]

    async def read_all(
        self, after: int = 0, limit: int = PAGE_EVENTS, *, transaction: Transaction | None = None
    ) -> list[StoredEvent]:
        """Up to `limit` events of all streams behind a position."""
        source = self._database if transaction is None else transaction
        rows = await source.fetch(SQL["all"], after, limit)
        return [self._catalogue.read(RawEvent(**values_of(row))) for row in rows]

    async def replay(self, after: int = 0) -> AsyncIterator[StoredEvent]:
        """Every event behind a position, page by page."""
        while page := await self.read_all(after):
            for event in page:
                yield event
            after = page[-1].position

    async def head(self) -> int:
        """The newest position; 0 while there is no event."""
        [row] = await self._database.fetch(SQL["head"])
        return int(row["position"])

    async def cursors(self) -> list[CursorFigures]:
        """How far all consumers are."""
        rows = await self._database.fetch(SQL["cursors"])
        return [CursorFigures(**values_of(row)) for row in rows]


def _to_json(event: NewEvent) -> dict[str, object]:
    return {
        "event_id": str(event.event_id),
        "type": event.data.TYPE,
        "type_version": event.data.VERSION,
        "data": to_fields(event.data),
    }
