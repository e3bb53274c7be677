"""The outbox: publishes the committed event log to a sink, in order and at least once.

A row of the log is a batch: what was committed together. A turn reads the batches behind the
cursor, hands them to the sink, and only then moves the cursor: a crash in between publishes them
again. Publishers of all nodes work in shifts under one lock, turn after turn while there is
something to publish. A publisher begins a shift at once when it is woken after a commit of its own
process; polling finds what other processes left behind.

While gifts pour in, a shift is kept, for its end and the next beginning are what would be waited
for most; it ends when nothing has come for `LINGER_S`, or when another node wants its own.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from config.ledger import OutboxSettings
from ledger.gaps import Gaps

log = logging.getLogger(__name__)

FIRST_GAP_PAUSE_S = 0.01
FIRST_BACKOFF_S = 0.1
LONGEST_SHIFT_S = 0.5
"""Then the publishers of other nodes have their turn, where any waits."""
LINGER_S = 0.02
"""How long a shift goes on with nothing to publish."""


@dataclass(frozen=True, slots=True)
class LogBatch:
    """A row of the log; `events` is a JSON array of events."""

    sequence: int
    event_count: int
    posted_at: datetime
    events: bytes


class SinkCutShort(Exception):
    """The sink lost its end: the last batch that it has is `sequence`."""

    def __init__(self, sequence: int) -> None:
        super().__init__(f"the sink ends at {sequence}")
        self.sequence = sequence


class EventSink(Protocol):
    """Where batches go."""

    async def publish(self, batches: Sequence[LogBatch], after: int) -> None:
        """Store the batches durably and in order; any exception means that not all of them were.

        `after`: the sequence of the batch that was published before the first of these. Raises
        SinkCutShort, with nothing stored, where the sink has that batch no more.
        """


@dataclass(frozen=True, slots=True)
class LogPage:
    """What lies behind the cursor.

    `oldest_running` was read before `batches` were, and the transaction `next_transaction` began
    after that; both are 0 where no gap is in front of any batch, and nobody was asked.
    """

    cursor: int
    head: int
    oldest_running: int
    next_transaction: int
    now: datetime
    batches: tuple[LogBatch, ...]


class LogShift(Protocol):
    """The log, while its lock is held."""

    async def read(self, limit: int) -> LogPage:
        """The first batches behind the cursor, at most `limit`."""

    def move(self, sequence: int) -> None:
        """Move the cursor there: for the next read at once, for others within `LONGEST_SHIFT_S`."""

    async def is_wanted(self) -> bool:
        """Whether another publisher waits for its shift."""


class EventLog(Protocol):
    """The committed log."""

    def shift(self) -> AbstractAsyncContextManager[LogShift]:
        """A shift; the first read in it waits for the lock, which is held up to its end."""


class Progress(Enum):
    """What is left after a turn."""

    CAUGHT_UP = "caught up"
    MORE = "more"
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class OutboxFigures:
    """How publishing goes.

    `lag_batches` (rolled-back numbers included) and `lag_s` are of the whole log at the last look,
    the counts of this process.
    """

    published_events: int
    published_batches: int
    failures: int
    lag_batches: int
    lag_s: float
    healthy: bool


class Backoff:
    """Pauses that double from `first_s` to `longest_s`."""

    def __init__(self, first_s: float, longest_s: float) -> None:
        self._first_s = self._next_s = first_s
        self._longest_s = longest_s

    def reset(self) -> None:
        self._next_s = self._first_s

    def pause_s(self) -> float:
        """How long to wait this time."""
        pause_s = self._next_s
        self._next_s = min(pause_s * 2, self._longest_s)
        return min(pause_s, self._longest_s)


class OutboxPublisher:
    """Publishes `log` to `sink` while `run` runs; call `wake` after every commit."""

    def __init__(self, log: EventLog, sink: EventSink, settings: OutboxSettings) -> None:
        self._log = log
        self._sink = sink
        self._settings = settings
        self._gaps = Gaps()
        self._woken = asyncio.Event()
        self._backoff = Backoff(FIRST_BACKOFF_S, settings.longest_backoff_s)
        self._gap_pause = Backoff(FIRST_GAP_PAUSE_S, LONGEST_SHIFT_S)
        self._events = self._batches = self._failures = 0
        self._lag_batches, self._lag_s = 0, 0.0
        self._healthy = True

    def wake(self) -> None:
        """Begin a turn now: something was committed."""
        self._woken.set()

    @property
    def figures(self) -> OutboxFigures:
        return OutboxFigures(
            published_events=self._events,
            published_batches=self._batches,
            failures=self._failures,
            lag_batches=self._lag_batches,
            lag_s=self._lag_s,
            healthy=self._healthy,
        )

    async def run(self) -> None:
        """Publish until cancelled; failures are logged and tried again, more and more slowly."""
        while True:
            try:
                await self._work()
            except Exception as error:  # whatever the drivers of log and sink raise
                await asyncio.sleep(self._failed(error))
                continue
            self._succeeded()
            if not self._lag_batches:
                await self._wait(self._settings.poll_s)

    async def publish_once(self) -> Progress:
        """A shift of one turn. Raises what the log or the sink raises."""
        async with self._log.shift() as shift:
            return await self._turn(shift)

    async def _work(self) -> None:
        """A shift: turns until there is nothing to publish, but others have their shifts, too.

        The lock is kept while a gap is waited for, behind which nobody may publish.
        """
        async with self._log.shift() as shift:
            while await self._goes_on(shift, until=time.monotonic() + LONGEST_SHIFT_S):
                self._succeeded()
                if await shift.is_wanted():
                    return

    async def _goes_on(self, shift: LogShift, until: float) -> bool:
        """Turns up to that time; says whether there may be more to publish."""
        while time.monotonic() < until:
            self._woken.clear()
            progress = await self._turn(shift)
            if progress is Progress.GAP:
                await self._wait(self._gap_pause.pause_s())
                continue
            self._gap_pause.reset()
            if progress is Progress.CAUGHT_UP and not await self._wait(LINGER_S):
                return False
        return True

    async def _turn(self, shift: LogShift) -> Progress:
        """At most `turn_batches`."""
        page = await shift.read(self._settings.turn_batches)
        ready = self._gaps.ready(
            page.cursor, [batch.sequence for batch in page.batches], page.oldest_running
        )
        if ready < len(page.batches) and not self._gaps.watched:
            self._gaps.watch(page.batches[-1].sequence, page.next_transaction)
        self._look(page, published=0)
        if batches := page.batches[:ready]:
            try:
                async with asyncio.timeout(self._settings.publish_timeout_s):
                    await self._sink.publish(batches, page.cursor)
            except SinkCutShort as cut:
                log.error(
                    "the stream lost its end: it is published again",
                    extra={"published": page.cursor, "stream": cut.sequence},
                )
                shift.move(cut.sequence)
                return Progress.MORE
            shift.move(batches[-1].sequence)
        self._events += sum(batch.event_count for batch in batches)
        self._batches += ready
        self._look(page, published=ready)
        if ready < len(page.batches):
            return Progress.GAP
        return Progress.MORE if self._lag_batches else Progress.CAUGHT_UP

    def _look(self, page: LogPage, published: int) -> None:
        cursor = page.batches[published - 1].sequence if published else page.cursor
        self._lag_batches = page.head - cursor
        self._lag_s = 0.0
        if self._lag_batches and page.batches:
            oldest = page.batches[min(published, len(page.batches) - 1)]
            self._lag_s = max(0.0, (page.now - oldest.posted_at).total_seconds())

    def _failed(self, error: Exception) -> float:
        self._failures += 1
        self._healthy = False
        self._gaps = Gaps()  # the next shift may be another database's: a standby's
        pause_s = self._backoff.pause_s()
        log.warning(
            "events could not be published",
            extra={"error": repr(error), "lag_batches": self._lag_batches, "retry_in_s": pause_s},
        )
        return pause_s

    def _succeeded(self) -> None:
        self._backoff.reset()
        self._healthy = True

    async def _wait(self, longest_s: float) -> bool:
        """Whether somebody has woken the publisher by then."""
        with suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await self._woken.wait()
        return self._woken.is_set()
