"""What reconciliation refuses.

LedgerRefusal
├── InvalidRequest
│   ├── InvalidNote             invalid_request, field note
│   └── InvalidFile             invalid_request, with the line of the settlement file
├── UnknownReconciliation       not_found
├── UnknownDifference           not_found
├── UnknownProvider             not_found
├── FileKnown                   duplicate_file: reconciled before
├── ReconciliationKnown         idempotency_mismatch: the id is another run's
└── WorkConflict                invalid_transition: not in this state
"""

from uuid import UUID

from ledger.errors import InvalidRequest, LedgerRefusal


class InvalidNote(InvalidRequest):
    """No note, or too long a one."""

    field = "note"

    def __init__(self, most_chars: int) -> None:
        super().__init__(f"Say what became of it: 1 to {most_chars} characters.")


class InvalidFile(InvalidRequest):
    """A line of a settlement file is not as it must be."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.field = f"line {line}"


class UnknownReconciliation(LedgerRefusal):
    """There is no such run."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__("There is no such reconciliation.")


class UnknownDifference(LedgerRefusal):
    """There is no such line of the work list."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__("There is no such difference.")


class UnknownProvider(LedgerRefusal):
    """No format is declared for files of this provider."""

    code = "not_found"

    def __init__(self, provider: str) -> None:
        super().__init__(
            f"No format is declared for {provider!r}. Add it to ledger.reconcile.providers."
        )


class FileKnown(LedgerRefusal):
    """The file was reconciled before."""

    code = "duplicate_file"

    def __init__(self, reconciliation_id: UUID) -> None:
        super().__init__(f"This file was reconciled before, as {reconciliation_id}.")
        self.reconciliation_id = reconciliation_id


class ReconciliationKnown(LedgerRefusal):
    """The id belongs to a run of another kind or file."""

    code = "idempotency_mismatch"

    def __init__(self) -> None:
        super().__init__("This id belongs to another reconciliation. Make a new one.")


class WorkConflict(LedgerRefusal):
    """The difference is in a state in which this can't be done."""

    code = "invalid_transition"

    def __init__(self, action: str, state: str) -> None:
        super().__init__(f"You can't {action} a difference that is {state}.")
