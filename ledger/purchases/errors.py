"""What purchases refuse.

LedgerRefusal
├── InvalidRequest
│   └── InvalidPurchaseField    invalid_request, with the field
├── UnknownPurchase             not_found
├── PaymentKnown                duplicate_reference: this payment was recorded before
└── PurchaseConflict            invalid_transition: not in this state

CreditRefused                   the books do not take the credit, and never will
"""

from ledger.errors import InvalidRequest, LedgerRefusal
from ledger.purchases.states import PurchaseAction, PurchaseState


class InvalidPurchaseField(InvalidRequest):
    """A field of a purchase is out of its range."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class UnknownPurchase(LedgerRefusal):
    """There is no such purchase."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__("There is no such purchase.")


class PaymentKnown(LedgerRefusal):
    """The payment was recorded before, for another request."""

    code = "duplicate_reference"

    def __init__(self) -> None:
        super().__init__("A payment with this reference was recorded before.")


class PurchaseConflict(LedgerRefusal):
    """The purchase is in a state in which this can't be done."""

    code = "invalid_transition"

    def __init__(self, action: PurchaseAction, state: PurchaseState) -> None:
        said = state.replace("_", " ")
        super().__init__(f"You can't {action} a purchase that is {said}.")


class CreditRefused(Exception):
    """The books do not take the credit; the message says why."""
