"""What the ledger refuses.

LedgerRefusal                     `code` is the protocol's, the message is for the person
├── InvalidRequest                invalid_request
│   ├── InvalidAmount             of a grant
│   ├── InvalidReason             of a grant
│   └── InvalidPage               a cursor or limit of a statement
├── UnknownGift                   unknown_gift
├── InvalidCount                  invalid_count
├── OwnStream                     own_stream
├── IdempotencyMismatch           idempotency_mismatch
├── InsufficientFunds             insufficient_funds, with the balance and the total
└── LedgerBusy                    unavailable: whether it was posted is not known, send it again

A refused request has changed nothing, but for LedgerBusy, after which the same request may be sent
again: it is posted once however often it arrives.
"""

from typing import ClassVar


class LedgerRefusal(Exception):
    """A request that was not carried out."""

    code: ClassVar[str]


class InvalidRequest(LedgerRefusal):
    """A field is out of its range; `field` names it."""

    code = "invalid_request"
    field: str


class InvalidAmount(InvalidRequest):
    """The amount of a grant is no whole number from 1 to the most."""

    field = "amount_minor"

    def __init__(self, most_minor: int) -> None:
        super().__init__(f"Grant a whole number of coins from 1 to {most_minor:,}.")


class InvalidReason(InvalidRequest):
    """The reason of a grant is missing, too long or not one line of text."""

    field = "reason"

    def __init__(self, most_chars: int) -> None:
        super().__init__(f"Give a reason: one line of 1 to {most_chars} characters.")


class InvalidPage(InvalidRequest):
    """A page of a statement was asked for that there can't be."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class UnknownGift(LedgerRefusal):
    """No gift of the catalogue has this id."""

    code = "unknown_gift"

    def __init__(self) -> None:
        super().__init__("There is no such gift. Choose one from the list of gifts.")


class InvalidCount(LedgerRefusal):
    """The count is no whole number from 1 to the most."""

    code = "invalid_count"

    def __init__(self, most: int) -> None:
        super().__init__(f"Send a whole number of pieces from 1 to {most:,}.")


class OwnStream(LedgerRefusal):
    """Payer and payee are the same person."""

    code = "own_stream"

    def __init__(self) -> None:
        super().__init__("You can't send gifts to your own stream.")


class IdempotencyMismatch(LedgerRefusal):
    """The request id was used before, for another request."""

    code = "idempotency_mismatch"

    def __init__(self) -> None:
        super().__init__(
            "This request_id was used for another request before. Make a new one for a new request."
        )


class InsufficientFunds(LedgerRefusal):
    """The wallet holds less than the gift costs."""

    code = "insufficient_funds"

    def __init__(self, balance_minor: int, total_minor: int) -> None:
        super().__init__(f"Your balance is {balance_minor:,}, this gift costs {total_minor:,}.")
        self.balance_minor = balance_minor
        self.total_minor = total_minor


class LedgerBusy(LedgerRefusal):
    """The database is away or overloaded. The request may have been posted or not."""

    code = "unavailable"

    def __init__(self) -> None:
        super().__init__(
            "The ledger is busy. Send the same request again in a moment, with the same request_id:"
            " it is never posted twice."
        )
