"""A member of a consumer group that misses nothing, though Redis trims and may lose entries.

What it hands out, in this order: replays of the ledger's log, dead letters that were sent back, and
the stream. Every entry of the stream says which batch of the log stood before it. Where the group
was never handed that one, the stream lost something, and the gap is replayed from the log before
what follows it. Every few seconds it also looks whether the stream ends before what was published,
and writes down, in PostgreSQL, up to where the group has finished: that is where a gap begins when
Redis has lost everything it knew. A gap that is none, seen when a member of the group stalls,
leads to repeats, which consumers drop.

A consumer that was stopped for a day so catches up from the log a page at a time, in bounded
memory, however much Redis has trimmed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar
from uuid import UUID

from compliance.aml.intake import Entry
from ledger.errors import LedgerBusy
from ledger.outbox import Backoff
from ledger.replays import LoggedBatch, Replay
from server.bus.consumer import ConsumerGroupSource, Delivery

log = logging.getLogger(__name__)

LOOK_S = 2.0
"""How often it looks for replays, for a lost end of the stream, and writes its cursor."""

RACE_PAUSES_S = (0.005, 0.02, 0.1, 0.4)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 5.0

RETURNED, LOGGED = "returned:", "log:"
"""What the ids of entries begin with that are not the stream's own."""

T = TypeVar("T")


class ReplayLog(Protocol):
    """Cursors, replays and the log; every method raises LedgerBusy."""

    async def cursor(self, consumer: str) -> int | None:
        """Up to where the consumer has finished the log."""

    async def move_cursor(self, consumer: str, sequence: int) -> None:
        """It has finished up to there."""

    async def published(self) -> int:
        """Up to where the log went to the stream."""

    async def batches(self, after: int, until: int, limit: int) -> list[LoggedBatch]:
        """The first of the log behind `after`, up to and with `until`."""

    async def make_up(self, consumer: str, *, after: int, until: int, reason: str) -> Replay:
        """Have a part of the log handed over that was published."""

    async def take(self, consumer: str, holder: UUID) -> Replay | None:
        """The consumer's oldest open replay."""

    async def advance(self, replay_id: UUID, position: int) -> None:
        """Up to there it is done."""


class CompleteSource:
    """An event source over one member of a group, the letters sent back to it, and the log."""

    def __init__(
        self,
        stream: ConsumerGroupSource,
        returned: ConsumerGroupSource,
        log: ReplayLog,
        *,
        consumer: str,
        member: UUID,
        look_s: float = LOOK_S,
    ) -> None:
        """`consumer` names the group's cursor and replays, `member` this process."""
        self._stream = stream
        self._returned = returned
        self._log = log
        self._consumer = consumer
        self._member = member
        self._look_s = look_s
        self._look_at = 0.0
        self._replay: Replay | None = None
        self._page: dict[str, _Replayed] = {}
        self._held: list[Delivery] = []
        self._lost = 0
        self.gaps = 0
        """Gaps in the stream that this process saw."""
        self.replayed_batches = 0

    async def read(self, *, max_entries: int, block_ms: int) -> list[Entry]:
        """Entries to be handled, unfinished ones among them; none when nothing came in `block_ms`.

        While a store is away it waits.
        """
        if self._is_time_to_look():
            await self._look()
            if letters := await self._returned.read(max_entries=max_entries, block_ms=1):
                return [_renamed(each, RETURNED) for each in letters]
        if self._replay is not None and (page := await self._next_page(max_entries)):
            return page
        if self._replay is not None:
            return []
        return await self._next_entries(max_entries, block_ms)

    def begin_anew(self) -> None:
        """Forget what is in hand, which is read again: another member may have gone on with it."""
        self._replay, self._page, self._held, self._look_at = None, {}, [], 0.0
        self._stream.begin_anew()
        self._returned.begin_anew()

    async def ack(self, entry_ids: Sequence[str]) -> None:
        """These are done with."""
        kinds: dict[str, list[str]] = {"": [], RETURNED: [], LOGGED: []}
        for entry_id in entry_ids:
            kind, plain = _kind(entry_id)
            kinds[kind].append(plain)
        await self._stream.ack(kinds[""])
        await self._returned.ack(kinds[RETURNED])
        await self._done(kinds[LOGGED])

    async def dead_letter(self, entry: Entry, reason: str) -> None:
        """Copy the entry with `reason` to the dead letters; it is done with, too."""
        kind, plain = _kind(entry.entry_id)
        if kind == LOGGED:
            await self._stream.copy_to_dead_letters(entry, reason)
            await self._done([plain])
        else:
            source = self._returned if kind == RETURNED else self._stream
            await source.dead_letter(replace(entry, entry_id=plain), reason)

    # ---- the stream, and what is missing in it ----

    async def _next_entries(self, max_entries: int, block_ms: int) -> list[Entry]:
        entries = self._held or await self._stream.read(max_entries=max_entries, block_ms=block_ms)
        self._held = []
        if self._stream.lost_entries > self._lost:
            self._lost = self._stream.lost_entries
            await self._replay_unfinished(is_known=True)
        if await self._replay_gaps(entries):
            self._held = entries  # what was lost comes first
            await self._look()
            return []
        return list(entries)

    async def _replay_gaps(self, entries: Sequence[Delivery]) -> bool:
        """Have replayed what is missing before and between entries; whether anything is.

        One that was handed out before may have been so to a member that ended before it looked.
        """
        placed = [each for each in entries if each.sequence is not None]
        if not placed:
            return False
        known = await self._known_before(placed[0])
        missing = []
        for each in placed:
            if known is not None and each.after is not None and each.after > known:
                missing.append((known, each.after))
            known = max(known or 0, each.sequence or 0)
        for after, until in missing:
            await self._request(after, until, "lost from the stream")
        await self._stream.raise_position(known or 0)
        return bool(missing)

    async def _known_before(self, entry: Delivery) -> int | None:
        """Up to where the group was handed entries before this one; None: it is a new group.

        Another member may have been handed the entry before it just now, and have said so not yet:
        what looks like a gap is looked at again for a moment.
        """
        for pause_s in (0.0, *RACE_PAUSES_S):
            await asyncio.sleep(pause_s)
            known = await self._stream.position()
            if known is None or entry.after is None or entry.after <= known:
                break
        if known is None:
            known = await _patiently(lambda: self._log.cursor(self._consumer))
        if known is None and (first := entry.after) is not None:
            # A new consumer begins where the stream does, and from now on misses nothing.
            await _patiently(lambda: self._log.move_cursor(self._consumer, first))
        return known

    async def _replay_unfinished(self, *, is_known: bool = False) -> None:
        """Where entries left the stream unfinished, handed to this member or to one that is gone:
        have replayed everything from what is known to be finished to what was handed out."""
        lost = await self._stream.lost()
        if not lost and not is_known:
            return
        cursor = await _patiently(lambda: self._log.cursor(self._consumer))
        position = await self._stream.position()
        if position is not None and (cursor or 0) < position:
            await self._request(cursor or 0, position, "left the stream unfinished")
        await self._stream.forget_lost(lost)

    async def _request(self, after: int, until: int, reason: str) -> None:
        self.gaps += 1
        log.error(
            "events are missing in the stream: they are replayed from the log",
            extra={"consumer": self._consumer, "after": after, "until": until, "reason": reason},
        )
        await _patiently(
            lambda: self._log.make_up(self._consumer, after=after, until=until, reason=reason)
        )

    # ---- what is looked at now and then ----

    def _is_time_to_look(self) -> bool:
        now = asyncio.get_running_loop().time()
        if now < self._look_at:
            return False
        self._look_at = now + self._look_s
        return True

    async def _look(self) -> None:
        await self._replay_unfinished()
        if not self._held:
            await self._look_at_the_end()
        if self._replay is None:
            self._replay = await _patiently(lambda: self._log.take(self._consumer, self._member))

    async def _look_at_the_end(self) -> None:
        published = await _patiently(self._log.published)  # before the stream is looked at
        finished = await self._stream.finished()
        cursor = await _patiently(lambda: self._log.cursor(self._consumer))
        if finished is not None and finished > (cursor or 0):
            await _patiently(lambda: self._log.move_cursor(self._consumer, finished))
            cursor = finished
        if cursor is None and await self._stream.is_drained():
            await _patiently(lambda: self._log.move_cursor(self._consumer, published))
        elif cursor is not None and published > cursor and await self._stream.is_drained():
            known = await self._stream.position()
            if published > (cursor if known is None else known):
                await self._request(cursor, published, "the stream ends too early")
                await self._stream.raise_position(published)

    # ---- replays ----

    async def _next_page(self, max_entries: int) -> list[Entry]:
        """What of the page is not done, else the next page; empty at the end of the replay."""
        replay = self._replay
        if replay is None:
            return []
        if not self._page:
            found = await _patiently(
                lambda: self._log.batches(replay.position, replay.until, max_entries)
            )
            if not found:
                await _patiently(lambda: self._log.advance(replay.replay_id, replay.until))
                self._replay = None
                return []
            self._page = {str(each.sequence): _Replayed(each) for each in found}
        pages = [each for each in self._page.values() if not each.is_done]
        for each in pages:
            each.deliveries += 1
        return [
            Entry(f"{LOGGED}{each.batch.sequence}", each.batch.events, each.deliveries)
            for each in pages
        ]

    async def _done(self, sequences: Sequence[str]) -> None:
        replay = self._replay
        if replay is None or not sequences:
            return
        for sequence in sequences:
            if sequence in self._page:
                self._page[sequence].is_done = True
        position = replay.position
        while self._page and (first := next(iter(self._page.values()))).is_done:
            position = first.batch.sequence
            self.replayed_batches += 1
            del self._page[str(position)]
        if position > replay.position:
            self._replay = replace(replay, position=position)
            await _patiently(lambda: self._log.advance(replay.replay_id, position))
        if position >= replay.until:
            self._replay = None


@dataclass(slots=True)
class _Replayed:
    """A batch of the log that is being handed out."""

    batch: LoggedBatch
    deliveries: int = 0
    is_done: bool = False


def _renamed(entry: Entry, prefix: str) -> Entry:
    return Entry(prefix + entry.entry_id, entry.payload, entry.deliveries)


def _kind(entry_id: str) -> tuple[str, str]:
    """Where an entry came from, and its id there."""
    for prefix in (RETURNED, LOGGED):
        if entry_id.startswith(prefix):
            return prefix, entry_id.removeprefix(prefix)
    return "", entry_id


async def _patiently(command: Callable[[], Awaitable[T]]) -> T:
    """The answer of PostgreSQL, asked until it is there."""
    backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)
    while True:
        try:
            return await command()
        except LedgerBusy as error:
            log.warning("the ledger's log can't be read", extra={"error": repr(error)})
        await asyncio.sleep(backoff.pause_s())
