"""What payouts refuse, and what outside of them can go wrong.

LedgerRefusal
├── InvalidRequest
│   └── InvalidPayoutField      invalid_request, with the field
├── UnknownPayout               not_found; UnknownBatch too
├── PayoutUnderWay              payout_open: one at a time
├── AvailableTooSmall           insufficient_funds, with what is available
├── PayoutConflict              invalid_transition: not in this state
├── BatchNotReady               batch_not_ready, with `retry_after_s`
├── FileRefused                 invalid_request, each line named
├── FileRepeated                duplicate_file
├── ContradictoryResult         contradictory_result: a person must look at it
├── BadSignature                invalid_signature
└── BadNotice                   invalid_request

Unfunded                        the books have no money for this payout: it fails
ProviderUnavailable             the provider may have taken the order or not: send it again
ProviderContradicts             the provider's answer can't be true: a person must look at it
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.errors import InvalidRequest, LedgerRefusal
from ledger.payouts.states import PayoutAction, PayoutState


class InvalidPayoutField(InvalidRequest):
    """A field of a request is out of its range."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class UnknownPayout(LedgerRefusal):
    """There is no such payout, or it is somebody else's."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__("There is no such payout.")


class UnknownBatch(LedgerRefusal):
    """There is no such batch."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__("There is no such batch of payouts.")


class PayoutUnderWay(LedgerRefusal):
    """The user has another payout that is not finished."""

    code = "payout_open"

    def __init__(self) -> None:
        super().__init__("You have a payout under way. Wait until it is paid, or cancel it.")


class AvailableTooSmall(LedgerRefusal):
    """Less is available than was asked for."""

    code = "insufficient_funds"

    def __init__(self, available_minor: int, amount_minor: int) -> None:
        super().__init__(f"{available_minor:,} are available, you asked for {amount_minor:,}.")
        self.available_minor = available_minor


class PayoutConflict(LedgerRefusal):
    """The payout is in a state in which this can't be done."""

    code = "invalid_transition"

    def __init__(self, action: PayoutAction, state: PayoutState) -> None:
        super().__init__(f"You can't {action.replace('_', ' ')} a payout that is {state}.")


class BatchNotReady(LedgerRefusal):
    """The file would not be complete yet."""

    code = "batch_not_ready"
    retry_after_s = 2.0

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting} payouts of this batch are still being booked. Try again soon.")


@dataclass(frozen=True, slots=True)
class LineFault:
    """What is wrong with one line of a file; `field` is the line's number."""

    field: str
    message: str


class FileRefused(LedgerRefusal):
    """A file that can't be taken; nothing of it was."""

    code = "invalid_request"

    def __init__(self, faults: Sequence[LineFault]) -> None:
        super().__init__("The file was not taken. Correct what is named, and send it again.")
        self.errors = tuple(faults)


class FileRepeated(LedgerRefusal):
    """The same file was taken before."""

    code = "duplicate_file"

    def __init__(self) -> None:
        super().__init__("This very file was taken before. Nothing was done.")


class ContradictoryResult(LedgerRefusal):
    """A result that can't be true beside what is known; the payout was marked for an admin."""

    code = "contradictory_result"


class BadSignature(LedgerRefusal):
    """The notice is not signed by the provider, or too old."""

    code = "invalid_signature"

    def __init__(self) -> None:
        super().__init__("The signature is missing, wrong or too old.")


class BadNotice(LedgerRefusal):
    """A signed notice that can't be understood."""

    code = "invalid_request"


class Unfunded(Exception):
    """The books have no money for this payout; the message says why, for the user."""


class ProviderUnavailable(Exception):
    """It is not known whether the provider has taken the order: send it again, with its key."""


class ProviderContradicts(Exception):
    """The provider answered for another order than the one that it was sent."""
