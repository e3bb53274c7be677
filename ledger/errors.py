"""What the ledger refuses.

LedgerRefusal                     `code` is the protocol's, the message is for the person
├── InvalidRequest                invalid_request
│   ├── InvalidAmount             of a grant, a posting, a hold or a refund
│   ├── InvalidReason             of a grant, a description or the like
│   ├── InvalidPosting            legs or postings that can't be posted together
│   ├── InvalidLabel              a kind, reference, memo or metadata that can't be stored
│   └── InvalidPage               a cursor or limit of a statement
├── UnknownGift                   unknown_gift
├── InvalidCount                  invalid_count
├── OwnStream                     own_stream
├── IdempotencyMismatch           idempotency_mismatch
├── RequestExpired                request_expired, with the transaction that it made
├── UnknownAccount                unknown_account
├── UnknownCurrency               unknown_currency
├── AccountClosed                 account_closed
├── DuplicateReference            duplicate_reference
├── InsufficientFunds             insufficient_funds, with the balance and the total
├── AmountTooLarge                amount_too_large
├── OwnMoney                      forbidden: an admin decides about other people's money
├── UnknownHold                   unknown_hold
├── HoldClosed                    hold_closed, with the state that it has
├── UnknownTransaction            unknown_transaction
├── NotReversible                 not_reversible
├── AlreadyReversed               already_reversed, with what is left
├── AccountNotEmpty               account_not_empty
└── LedgerBusy                    unavailable: whether it was posted is not known, send it again

A refused request has changed nothing, but for LedgerBusy, after which the same request may be sent
again: it is posted once however often it arrives.
"""

from typing import ClassVar
from uuid import UUID


class LedgerRefusal(Exception):
    """A request that was not carried out."""

    code: ClassVar[str]


class InvalidRequest(LedgerRefusal):
    """A field is out of its range; `field` names it."""

    code = "invalid_request"
    field: str


class InvalidAmount(InvalidRequest):
    """The amount is no whole number from 1 to the most."""

    field = "amount_minor"

    def __init__(self, most_minor: int) -> None:
        super().__init__(f"Name a whole number from 1 to {most_minor:,}.")


class InvalidReason(InvalidRequest):
    """The reason is missing, too long or not one line of text."""

    field = "reason"

    def __init__(self, most_chars: int) -> None:
        super().__init__(f"Give a reason: one line of 1 to {most_chars} characters.")


class InvalidPosting(InvalidRequest):
    """Legs or postings that can't be posted together."""

    field = "legs"


class InvalidLabel(InvalidRequest):
    """A kind, reference, memo or metadata that can't be stored."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


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


class RequestExpired(LedgerRefusal):
    """The request was carried out, so long ago that its answer is no longer kept."""

    code = "request_expired"

    def __init__(self, transaction_id: UUID | None = None) -> None:
        """`transaction_id`: of the first posting, None where there was none."""
        super().__init__(
            "This request_id was used long ago. Look the transaction up in your statement, or make "
            "a new request_id for a new request."
        )
        self.transaction_id = transaction_id


class UnknownAccount(LedgerRefusal):
    """The chart has no such account, or it has an owner too many or too few."""

    code = "unknown_account"

    def __init__(self) -> None:
        super().__init__("There is no such account. Choose one of the chart of accounts.")


class UnknownCurrency(LedgerRefusal):
    """The ledger does not know the currency."""

    code = "unknown_currency"

    def __init__(self) -> None:
        super().__init__("The ledger does not know this currency. Have it set up first.")


class AccountClosed(LedgerRefusal):
    """An account of the request was closed."""

    code = "account_closed"

    def __init__(self) -> None:
        super().__init__("The account was closed. Choose another one.")


class DuplicateReference(LedgerRefusal):
    """The external reference belongs to another transaction."""

    code = "duplicate_reference"

    def __init__(self) -> None:
        super().__init__("This reference was posted before. Look its transaction up.")


class AmountTooLarge(LedgerRefusal):
    """A balance would leave the 64 bits that it has."""

    code = "amount_too_large"

    def __init__(self) -> None:
        super().__init__("The balance would become too large. Move less.")


class OwnMoney(LedgerRefusal):
    """An admin would decide about money of their own."""

    code = "forbidden"

    def __init__(self) -> None:
        super().__init__("This is money of yours. Ask another admin to decide about it.")


class UnknownHold(LedgerRefusal):
    """No hold has this id."""

    code = "unknown_hold"

    def __init__(self) -> None:
        super().__init__("There is no such hold. Check its id.")


class HoldClosed(LedgerRefusal):
    """The hold is captured, voided or expired."""

    code = "hold_closed"

    def __init__(self, state: str) -> None:
        super().__init__(f"The hold is {state}. Place a new one.")
        self.state = state


class UnknownTransaction(LedgerRefusal):
    """No transaction has this id."""

    code = "unknown_transaction"

    def __init__(self) -> None:
        super().__init__("There is no such transaction. Check its id.")


class NotReversible(LedgerRefusal):
    """Transactions of this kind are not taken back, or not in part."""

    code = "not_reversible"

    def __init__(self) -> None:
        super().__init__("This transaction can't be taken back like this. Post a correction.")


class AlreadyReversed(LedgerRefusal):
    """More would be taken back than is left."""

    code = "already_reversed"

    def __init__(self, left_minor: int) -> None:
        super().__init__(f"Of this transaction {left_minor:,} are left to be taken back.")
        self.left_minor = left_minor


class AccountNotEmpty(LedgerRefusal):
    """An account with a balance can't be closed."""

    code = "account_not_empty"

    def __init__(self) -> None:
        super().__init__("There is still something on this account. Empty it first.")


class InsufficientFunds(LedgerRefusal):
    """The account has less available than is to be taken from it."""

    code = "insufficient_funds"

    def __init__(self, balance_minor: int, total_minor: int) -> None:
        super().__init__(f"Your balance is {balance_minor:,}, this costs {total_minor:,}.")
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
