"""Replays: the ledger's log handed to a consumer of the event stream again, from any point.

The log outlives what Redis trims or loses. A replay is asked for by a person, or by the consumer's
own reader when it finds that entries left the stream before it had read them; it survives restarts,
and one process at a time carries it out. Consumers drop what they have seen, by `event_id`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from config.sql import load_queries
from ledger.errors import InvalidRequest
from ledger.event_store.database import Database, Row

SQL = load_queries("ledger", "sql/replays.sql")

STREAM = "stream"
"""The cursor of the stream itself: how far the log was published."""

CLAIM = timedelta(seconds=30)
"""A process that carries out a replay, and was silent for so long, is taken for gone."""


class InvalidReplay(InvalidRequest):
    """The consumer or the range of a replay is none."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Replay:
    """Batches of the log behind `position`, up to and with `until`, are still to be handed over."""

    replay_id: UUID
    consumer: str
    position: int
    until: int
    reason: str
    requested_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class LoggedBatch:
    """One batch of the log, as it went to the stream."""

    sequence: int
    events: bytes


class ReplayStore:
    """Cursors, replays and the log, in PostgreSQL. Every method raises LedgerBusy."""

    def __init__(
        self, database: Database, *, clock: Callable[[], datetime], new_id: Callable[[], UUID]
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    async def cursors(self) -> Mapping[str, int]:
        """Up to where each consumer has finished the log; `STREAM`: up to where it is published."""
        rows = await self._database.fetch(SQL["cursors"])
        return {row["consumer"]: row["sequence"] for row in rows}

    async def cursor(self, consumer: str) -> int | None:
        """None for a consumer that never finished anything."""
        return (await self.cursors()).get(consumer)

    async def move_cursor(self, consumer: str, sequence: int) -> None:
        """Everything up to there is done; a cursor never goes back."""
        await self._database.fetch(SQL["move_cursor"], consumer, sequence)

    async def published(self) -> int:
        """Up to where the log went to the stream."""
        return await self.cursor(STREAM) or 0

    async def batches(self, after: int, until: int, limit: int) -> list[LoggedBatch]:
        """The first of the log behind `after`, up to and with `until`."""
        rows = await self._database.fetch(SQL["batches"], after, until, limit)
        return [LoggedBatch(row["sequence"], row["events"].encode()) for row in rows]

    async def place(self, moment: datetime) -> int:
        """Where to begin behind, so that nothing that was posted from `moment` on is left out."""
        return int(_row(await self._database.first(SQL["place"], moment))["sequence"])

    async def request(self, consumer: str, *, after: int, until: int | None, reason: str) -> Replay:
        """Have everything behind `after` handed over, up to `until` or what is published by now.

        An equal one that is not finished is not made twice. Raises InvalidReplay.
        """
        published = await self.published()
        last = published if until is None else min(until, published)
        if after < 0 or after > last:
            raise InvalidReplay("after", f"Name a place from 0 to {last}.")
        return await self._made(consumer, after, last, reason)

    async def make_up(self, consumer: str, *, after: int, until: int, reason: str) -> Replay:
        """Have handed over what the consumer missed, `until` being published for all that is known.

        The stream told so: the publisher's own cursor is written down a moment later.
        """
        return await self._made(consumer, after, until, reason)

    async def _made(self, consumer: str, after: int, until: int, reason: str) -> Replay:
        row: Row | None = None
        while row is None:  # one that was made at the same moment is seen the next time
            row = await self._database.first(
                SQL["request"], self._new_id(), consumer, after, until, reason, self._clock()
            )
        return _replay(row)

    async def take(self, consumer: str, holder: UUID) -> Replay | None:
        """The consumer's oldest open replay, for `holder` alone for the next while.

        A claim that goes on for longer than any is one of a clock that was ahead: it counts for
        nothing, as one that is over.
        """
        now = self._clock()
        row = await self._database.first(
            SQL["take"], consumer, holder, now, now + CLAIM, now + 2 * CLAIM
        )
        return None if row is None else _replay(row)

    async def advance(self, replay_id: UUID, position: int) -> None:
        """Everything up to `position` was handed over and done; the end of it finishes it.

        Whoever carries it out keeps it for the next while.
        """
        now = self._clock()
        await self._database.fetch(SQL["advance"], replay_id, position, now, now + CLAIM)

    async def listed(self, consumer: str, limit: int) -> list[Replay]:
        """The consumer's replays, newest first."""
        return [_replay(row) for row in await self._database.fetch(SQL["listed"], consumer, limit)]


def _row(row: Row | None) -> Row:
    if row is None:
        raise LookupError("an aggregate without a row")
    return row


def _replay(row: Row) -> Replay:
    return Replay(**{name: row[name] for name in Replay.__slots__})
