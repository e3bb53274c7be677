"""What is refused to whoever looks after sagas.

LedgerRefusal
├── UnknownTask     not_found
└── TaskNotDead     invalid_transition: only what gave up can be tried again by hand
"""

from ledger.errors import LedgerRefusal
from ledger.sagas.steps import TaskState


class UnknownTask(LedgerRefusal):
    """There is no such task."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__("There is no such step.")


class TaskNotDead(LedgerRefusal):
    """The task is done, or is tried again by itself."""

    code = "invalid_transition"

    def __init__(self, state: TaskState) -> None:
        super().__init__(f"Only a step that gave up can be tried again; this one is {state}.")
