"""The tasks of sagas in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from config.sql import load_queries
from ledger.event_store.database import Database, Row, Transaction, values_of
from ledger.sagas.steps import Task, TaskState, task_id

SQL = load_queries("ledger", "sql/sagas.sql")


class TaskStore:
    """Tasks; everything raises LedgerBusy."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, transaction: Transaction, wanted: Sequence[tuple[str, int, str]], now: datetime
    ) -> None:
        """Make tasks for (stream, version, step), but for those that are there already."""
        await transaction.execute(
            SQL["add_tasks"],
            [task_id(*each) for each in wanted],
            [stream_id for stream_id, _, _ in wanted],
            [version for _, version, _ in wanted],
            [step for _, _, step in wanted],
            now,
        )

    async def claim(
        self, now: datetime, lease_until: datetime, limit: int, *, latest: datetime
    ) -> list[Task]:
        """Take tasks that are due, at most one a stream; each counts as an attempt.

        One that is due after `latest` was put off by a clock that was ahead: it is due now.
        """
        rows = await self._database.fetch(SQL["claim"], now, lease_until, limit, latest)
        return [_task(row) for row in rows]

    async def finish(self, task: Task, now: datetime) -> bool:
        """It is done; whether the lease was still ours."""
        return await self._change("finish", task, now)

    async def postpone(self, task: Task, until: datetime, error: str) -> bool:
        """It failed and is tried again; whether the lease was still ours."""
        return await self._change("postpone", task, until, error)

    async def bury(self, task: Task, now: datetime, error: str) -> bool:
        """It failed for good; whether the lease was still ours."""
        return await self._change("bury", task, now, error)

    async def revive(self, task_id: UUID, now: datetime) -> Task | None:
        """Try a dead task again; None where no dead one has this id."""
        row = await self._database.first(SQL["revive"], task_id, now)
        return None if row is None else _task(row)

    async def revive_stream(self, stream_id: str, now: datetime) -> int:
        """Try all dead tasks of a stream again; how many there were."""
        return len(await self._database.fetch(SQL["revive_stream"], stream_id, now))

    async def task(self, task_id: UUID) -> Task | None:
        """One task."""
        row = await self._database.first(SQL["task"], task_id)
        return None if row is None else _task(row)

    async def tasks(
        self,
        *,
        state: TaskState | None = None,
        stream_id: str | None = None,
        before: Task | None = None,
        limit: int,
    ) -> list[Task]:
        """The newest tasks, of one state, of one stream and older than `before` where given. But
        for those that are not done, they may be a little behind."""
        place = (None, None) if before is None else (before.created_at, before.task_id)
        is_open = state in (TaskState.DUE, TaskState.DEAD)
        fetch = self._database.fetch if is_open else self._database.fetch_behind
        rows = await fetch(SQL["tasks"], state, stream_id, *place, limit)
        return [_task(row) for row in rows]

    async def next_due(self) -> datetime | None:
        """When the next task may be taken; None where none waits."""
        [row] = await self._database.fetch(SQL["next_due"])
        due_at: datetime | None = row["due_at"]
        return due_at

    async def count_dead(self) -> int:
        """How many tasks gave up."""
        [row] = await self._database.fetch(SQL["count_dead"])
        return int(row["dead"])

    async def _change(self, query: str, task: Task, *values: object) -> bool:
        async with self._database.transaction() as transaction:
            touched = await transaction.execute(SQL[query], task.task_id, task.attempts, *values)
            return touched == 1


def _task(row: Row) -> Task:
    values = values_of(row)
    values["state"] = TaskState(values["state"])
    return Task(**values)
