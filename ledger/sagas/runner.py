"""Runs sagas: turns new events into tasks, takes tasks that are due, and does their steps.

Two hands that share nothing but the database. The first is a consumer of the event store: for each
event that a saga answers it makes a task, in the transaction that moves its cursor. The second
takes tasks under a lease, does the step, and marks the task done. A process may die between any two
of these: the cursor did not move, or the lease ends and somebody takes the task again.

A step that fails is tried again, later and later, and given up after so many attempts, or at once
on GiveUp. A dead task keeps its reason, holds back the later ones of its stream, and waits for a
person.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.payouts import SagaSettings
from ledger.event_store.catalogue import StoredEvent, UnreadableEvent
from ledger.event_store.consumer import Consumer
from ledger.event_store.database import Database, Transaction
from ledger.event_store.store import EventStore
from ledger.sagas.steps import GiveUp, Retries, Saga, Step, Task, error_text
from ledger.sagas.store import TaskStore

log = logging.getLogger(__name__)

CONSUMER = "sagas"
DIED = "the process ended in the middle of this step, every time"


@dataclass(frozen=True, slots=True)
class SagaFigures:
    """What this process did since it started, and the dead tasks at the last look."""

    steps_done: int
    steps_failed: int
    dead_tasks: int


class SagaRunner:
    """Does the steps of `sagas` while `run` runs; call `wake` after every append."""

    def __init__(
        self,
        sagas: Iterable[Saga],
        *,
        database: Database,
        events: EventStore,
        tasks: TaskStore,
        settings: SagaSettings,
        clock: Callable[[], datetime],
    ) -> None:
        """Raises ValueError where two sagas answer one event or have a step of one name."""
        self._reactions: dict[str, str] = {}
        self._steps: dict[str, Step] = {}
        for saga in sagas:
            if saga.reactions.keys() & self._reactions or saga.steps.keys() & self._steps:
                raise ValueError(f"{saga.name} answers what another saga answers")
            self._reactions |= saga.reactions
            self._steps |= saga.steps
        self._events = events
        self._tasks = tasks
        self._settings = settings
        self._clock = clock
        self._retries = Retries(
            settings.most_attempts, settings.first_backoff_s, settings.longest_backoff_s
        )
        self._consumer = Consumer(CONSUMER, database, events, self._dispatch, clock=clock)
        self._woken = asyncio.Event()
        self._done = self._failed = self._dead = 0

    @property
    def figures(self) -> SagaFigures:
        return SagaFigures(self._done, self._failed, self._dead)

    def wake(self) -> None:
        """Look now: something was appended, or a task revived."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled; while the database is away, look again later."""
        opened = False
        while True:
            self._woken.clear()
            try:
                if not opened:
                    await self._consumer.open()
                    opened = True
                busy = await self.turn()
                self._dead = await self._tasks.count_dead()
                pause_s = 0.0 if busy else await self._pause_s()
            except Exception as error:  # whatever it is, the next look may find it gone
                log.warning("sagas stand still", extra={"error": error_text(error)})
                pause_s = self._settings.poll_s
            await self._wait(pause_s)

    async def turn(self) -> int:
        """Make tasks of new events and do what is due; how much there was. Raises LedgerBusy."""
        events = await self._take()
        now = self._clock()
        lease_until = now + timedelta(seconds=self._settings.lease_s)
        # Beyond any lease and any pause, with clocks of nodes that are a little apart.
        latest = lease_until + timedelta(seconds=self._settings.longest_backoff_s)
        tasks = await self._tasks.claim(
            now, lease_until, self._settings.parallel_steps, latest=latest
        )
        await asyncio.gather(*(self._attempt(task) for task in tasks))
        return events + len(tasks)

    async def _take(self) -> int:
        """Make tasks of the next events. One of a newer program is left to that; steps go on."""
        try:
            return await self._consumer.take()
        except UnreadableEvent as error:
            log.error("an event can't be read", extra={"error": error_text(error)})
            return 0

    async def open(self) -> None:
        """Make the consumer's cursor where there is none, as `run` does."""
        await self._consumer.open()

    async def replay(self, position: int) -> None:
        """Read all events behind `position` again. Tasks that are there already stay as they are.

        Raises ConsumerBusy.
        """
        await self._consumer.rewind(position)
        self.wake()

    async def _dispatch(self, transaction: Transaction, events: Sequence[StoredEvent]) -> None:
        wanted = [
            (event.stream_id, event.version, self._reactions[event.data.TYPE])
            for event in events
            if event.data.TYPE in self._reactions
        ]
        if wanted:
            await self._tasks.add(transaction, wanted, self._clock())

    async def _attempt(self, task: Task) -> None:
        """Do a step and say what came of it; never raises but for cancellation."""
        try:
            if task.attempts > self._settings.most_attempts:
                raise GiveUp(DIED)
            [event] = await self._events.read_stream(task.stream_id, task.version, limit=1)
            async with asyncio.timeout(self._settings.step_timeout_s):
                await self._steps[task.step](task, event)
            await self._tasks.finish(task, self._clock())
        except Exception as error:  # a step may raise anything
            await self._fail(task, error)
        else:
            self._done += 1

    async def _fail(self, task: Task, error: Exception) -> None:
        self._failed += 1
        now, text = self._clock(), error_text(error)
        again = None if isinstance(error, GiveUp) else self._retries.after(task.attempts, now)
        told = {"stream": task.stream_id, "step": task.step, "error": text}
        with suppress(Exception):  # what can't be written down is tried again when its lease ends
            if again is None:
                log.error("a step was given up", extra=told)
                await self._tasks.bury(task, now, text)
            else:
                log.warning("a step failed", extra=told)
                await self._tasks.postpone(task, again, text)

    async def _pause_s(self) -> float:
        due_at = await self._tasks.next_due()
        if due_at is None:
            return self._settings.poll_s
        due_s = (due_at - self._clock()).total_seconds()
        # A task that is due and was not taken waits for an earlier one of its stream.
        return self._settings.poll_s if due_s <= 0 else min(due_s, self._settings.poll_s)

    async def _wait(self, longest_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await self._woken.wait()
