"""The steps of payouts and purchases: what was done, what gave up, and trying it again."""

from uuid import UUID

from pydantic import Field

from ledger.sagas.steps import TaskState
from server.gateway.route import Answer, Call
from server.http.payouts import IdPaging
from server.http.shapes import Instant, Shape


class TaskShape(Shape):
    """One step of one payout or purchase; `stream_id` names which."""

    task_id: UUID
    stream_id: str
    version: int
    step: str
    state: TaskState
    attempts: int
    due_at: Instant
    last_error: str | None
    created_at: Instant
    finished_at: Instant | None


class TaskList(Shape):
    """Steps, newest first."""

    tasks: list[TaskShape]
    next_cursor: UUID | None


class TaskFilter(IdPaging):
    """Which steps: of one state and of one payout or purchase, where given."""

    state: TaskState | None = None
    stream_id: str | None = Field(default=None, max_length=100)


class ConsumerShape(Shape):
    """How far a reader of the event store is."""

    consumer: str
    position: int
    behind: int
    moved_at: Instant


class ConsumerList(Shape):
    """All readers of the event store."""

    consumers: list[ConsumerShape]


async def listed(call: Call) -> Answer:
    """Find steps; `state=dead` are those that gave up."""
    query = call.read(TaskFilter)
    page = await call.services.payouts.sagas.tasks(
        state=query.state, stream_id=query.stream_id, cursor=query.cursor, limit=query.limit
    )
    return Answer(
        TaskList(
            tasks=[TaskShape.model_validate(task) for task in page.tasks],
            next_cursor=page.next_cursor,
        )
    )


async def retry(call: Call) -> Answer:
    """Try a step that gave up again."""
    return Answer(
        TaskShape.model_validate(await call.services.payouts.sagas.retry(call.uuid("task_id")))
    )


async def consumers(call: Call) -> Answer:
    """How far the readers of the event store are."""
    found = await call.services.payouts.sagas.consumers()
    return Answer(ConsumerList(consumers=[ConsumerShape.model_validate(each) for each in found]))
