"""What every call into the ledger passes: it is counted, timed, and refused where too many wait."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol
from uuid import UUID

from config.ledger import LedgerSettings
from ledger import errors
from ledger.errors import LedgerBusy, LedgerRefusal
from ledger.grants import MAX_REASON_CHARS
from ledger.money import MAX_MINOR
from ledger.postings import MAX_LEGS, MAX_REFERENCE_CHARS
from ledger.transfer import TransferResult

R = TransferResult

REFUSALS: Mapping[TransferResult, Callable[[Mapping[str, Any]], LedgerRefusal]] = {
    R.UNKNOWN_GIFT: lambda _: errors.UnknownGift(),
    R.OWN_STREAM: lambda _: errors.OwnStream(),
    R.INVALID_AMOUNT: lambda _: errors.InvalidAmount(MAX_MINOR),
    R.INVALID_REASON: lambda _: errors.InvalidReason(MAX_REASON_CHARS),
    R.INVALID_LINKS: lambda _: errors.InvalidPosting(f"Link 1 to {MAX_LEGS} postings."),
    R.INVALID_KIND: lambda _: errors.InvalidLabel("kind", "Use 1 to 32 characters, a to z and _."),
    R.INVALID_REFERENCE: lambda _: errors.InvalidLabel(
        "reference", f"Give one line of 1 to {MAX_REFERENCE_CHARS} characters, no spaces around."
    ),
    R.INVALID_NOTES: lambda _: errors.InvalidLabel(
        "metadata", "Leave out NUL characters, halves of characters, and integers over 64 bits."
    ),
    R.INVALID_LEGS: lambda _: errors.InvalidPosting(f"Name 2 to {MAX_LEGS} legs."),
    R.SELF_TRANSFER: lambda _: errors.InvalidPosting("Name each account in one leg only."),
    R.UNBALANCED: lambda _: errors.InvalidPosting("Let the legs of each currency sum to zero."),
    R.IDEMPOTENCY_MISMATCH: lambda _: errors.IdempotencyMismatch(),
    R.REQUEST_EXPIRED: lambda d: errors.RequestExpired(_transaction(d)),
    R.UNKNOWN_ACCOUNT: lambda _: errors.UnknownAccount(),
    R.UNKNOWN_CURRENCY: lambda _: errors.UnknownCurrency(),
    R.ACCOUNT_CLOSED: lambda _: errors.AccountClosed(),
    R.DUPLICATE_REFERENCE: lambda _: errors.DuplicateReference(),
    R.INSUFFICIENT_FUNDS: lambda d: errors.InsufficientFunds(d["balance_minor"], d["total_minor"]),
    R.AMOUNT_TOO_LARGE: lambda _: errors.AmountTooLarge(),
    R.UNKNOWN_HOLD: lambda _: errors.UnknownHold(),
    R.HOLD_CLOSED: lambda d: errors.HoldClosed(d["state"]),
    R.UNKNOWN_TRANSACTION: lambda _: errors.UnknownTransaction(),
    R.NOT_REVERSIBLE: lambda _: errors.NotReversible(),
    R.ALREADY_REVERSED: lambda d: errors.AlreadyReversed(d["left_minor"]),
    R.ACCOUNT_NOT_EMPTY: lambda _: errors.AccountNotEmpty(),
}
"""The refusal that a result stands for; what is not here is none."""


def _transaction(details: Mapping[str, Any]) -> UUID | None:
    """The transaction that an answer names, where it names one."""
    named = details.get("transaction_id")
    return None if named is None else UUID(named)


class LatencyObserver(Protocol):
    """Takes the time of every call, for histograms."""

    def observe(self, operation: str, seconds: float, outcome: str) -> None:
        """`operation`: gift, grant, posting, hold, reversal, wallet, statement and so on.

        `outcome`: ok, posted, repeated, a refusal's code, or error.
        """


@dataclass(slots=True)
class Call:
    """One call under way."""

    outcome: str = "ok"

    def settle(self, result: TransferResult, details: Mapping[str, Any]) -> bool:
        """Whether a posting is a repeated one; raises where it was refused."""
        if result in REFUSALS:
            raise REFUSALS[result](details)
        self.outcome = result.value
        return result is TransferResult.REPEATED


class Door:
    """Counts the calls of one process; shared by all that call the ledger's store."""

    def __init__(self, settings: LedgerSettings, observer: LatencyObserver) -> None:
        self._most = settings.max_in_flight
        self._observer = observer
        self.in_flight = 0
        """Calls under way."""

    @contextmanager
    def call(self, operation: str) -> Iterator[Call]:
        """Count and time a call. Raises LedgerBusy where too many are under way."""
        call = Call()
        started = self.enter(operation)
        try:
            yield call
        except BaseException as error:
            call.outcome = outcome_of(error)
            raise
        finally:
            self.leave(operation, started, call.outcome)

    def enter(self, operation: str) -> float:
        """Begin a call; `leave` must follow, but where this raises LedgerBusy."""
        started = perf_counter()
        if self.in_flight >= self._most:
            self._observer.observe(operation, 0.0, LedgerBusy.code)
            raise LedgerBusy
        self.in_flight += 1
        return started

    def leave(self, operation: str, started: float, outcome: str) -> None:
        """End a call."""
        self.in_flight -= 1
        self._observer.observe(operation, perf_counter() - started, outcome)


def outcome_of(error: BaseException) -> str:
    """How a call that raised is counted."""
    return error.code if isinstance(error, LedgerRefusal) else "error"
