"""The door for admins: what sagas have done, what gave up and why, and to try it again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.event_store.store import CursorFigures, EventStore
from ledger.sagas.errors import TaskNotDead, UnknownTask
from ledger.sagas.steps import Task, TaskState
from ledger.sagas.store import TaskStore


@dataclass(frozen=True, slots=True)
class TaskPage:
    """Tasks, newest first; `next_cursor` is the id of the last one where more follow."""

    tasks: tuple[Task, ...]
    next_cursor: UUID | None


class SagaService:
    """Everything raises LedgerBusy."""

    def __init__(
        self,
        tasks: TaskStore,
        events: EventStore,
        *,
        wake: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._tasks = tasks
        self._events = events
        self._wake = wake
        self._clock = clock

    async def tasks(
        self,
        *,
        state: TaskState | None = None,
        stream_id: str | None = None,
        cursor: UUID | None = None,
        limit: int,
    ) -> TaskPage:
        """A page of tasks, of one state and stream where given. Raises UnknownTask."""
        before = None if cursor is None else await self.task(cursor)
        found = await self._tasks.tasks(
            state=state, stream_id=stream_id, before=before, limit=limit + 1
        )
        shown = tuple(found[:limit])
        return TaskPage(shown, shown[-1].task_id if len(found) > limit else None)

    async def task(self, task_id: UUID) -> Task:
        """One task. Raises UnknownTask."""
        task = await self._tasks.task(task_id)
        if task is None:
            raise UnknownTask
        return task

    async def retry(self, task_id: UUID) -> Task:
        """Try a task that gave up again. Raises UnknownTask, TaskNotDead."""
        revived = await self._tasks.revive(task_id, self._clock())
        if revived is None:
            raise TaskNotDead((await self.task(task_id)).state)
        self._wake()
        return revived

    async def consumers(self) -> list[CursorFigures]:
        """How far the readers of the event store are."""
        return await self._events.cursors()
