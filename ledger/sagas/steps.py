"""Sagas as tables: which step follows an event, and what becomes of a step that fails.

A saga here is choreographed: nothing knows the whole of it. A step answers one event, and by what
it appends it causes the next step; a step that undoes (a compensation) answers a failure's event.
A step may be begun again at any time, because the process died in it or its answer was lost, so it
does all that it does under ids that are derived from the event and the step.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID, uuid5

from ledger.event_store.catalogue import StoredEvent

STEPS = UUID("0f7d6f53-3c8c-5a44-b0f4-7a6cf5b0c8d2")
"""Name space of the ids of tasks and of their requests (RFC 9562 §5.5); never change it."""

MAX_ERROR_CHARS = 500


class TaskState(StrEnum):
    """Where a task is."""

    DUE = "due"
    DONE = "done"
    DEAD = "dead"


class TaskEvent(StrEnum):
    """What happens to a task."""

    CARRIED_OUT = "carried_out"
    POSTPONED = "postponed"
    GIVEN_UP = "given_up"
    REVIVED = "revived"


TRANSITIONS: Mapping[TaskState, Mapping[TaskEvent, TaskState]] = MappingProxyType(
    {
        TaskState.DUE: {
            TaskEvent.CARRIED_OUT: TaskState.DONE,
            TaskEvent.POSTPONED: TaskState.DUE,
            TaskEvent.GIVEN_UP: TaskState.DEAD,
        },
        TaskState.DEAD: {TaskEvent.REVIVED: TaskState.DUE},
        TaskState.DONE: {},
    }
)


@dataclass(frozen=True, slots=True)
class Task:
    """One step to be done because of one event; `due_at`: when it may be taken (again)."""

    task_id: UUID
    stream_id: str
    version: int
    step: str
    state: TaskState
    attempts: int
    due_at: datetime
    last_error: str | None
    created_at: datetime
    finished_at: datetime | None

    def request_id(self, purpose: str) -> UUID:
        """The idempotency key under which this task asks for one thing: always the same one."""
        return uuid5(self.task_id, purpose)


Step = Callable[[Task, StoredEvent], Awaitable[None]]
"""Does a step. Any exception means that it must be tried again; GiveUp, that it must not."""


@dataclass(frozen=True, slots=True)
class Saga:
    """Which step answers which type of event, and how steps are done."""

    name: str
    reactions: Mapping[str, str]
    steps: Mapping[str, Step]

    def __post_init__(self) -> None:
        missing = set(self.reactions.values()) ^ set(self.steps)
        if missing:
            raise ValueError(f"{self.name}: steps without a cause or a hand: {sorted(missing)}")


class GiveUp(Exception):
    """Trying again would not help: a person must look at it."""


def task_id(stream_id: str, version: int, step: str) -> UUID:
    """The id of the task that does `step` because of an event."""
    return uuid5(STEPS, f"{stream_id}\n{version}\n{step}")


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and how late a step is tried again."""

    most_attempts: int
    first_s: float
    longest_s: float

    def after(self, attempts: int, now: datetime) -> datetime | None:
        """When to try again after `attempts` that failed; None: not any more."""
        if attempts >= self.most_attempts:
            return None
        doubled = min(attempts - 1, 40)  # beyond any longest pause, and far from an overflow
        return now + timedelta(seconds=min(self.first_s * 2**doubled, self.longest_s))


def error_text(error: BaseException) -> str:
    """What is kept of an error: one line for a person, of a bounded length."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return "".join(each if each.isprintable() else "?" for each in text)[:MAX_ERROR_CHARS]
