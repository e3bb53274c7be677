"""Refunds and chargebacks: taking a transaction back by reference, in part or whole, once in sum.

Each account that got something gives its share back, each that gave gets it; shares are rounded
over all reversals of a transaction together, so that they add up to the whole to the unit. What a
streamer was paid comes from their earnings, then from the available ones. What is then short goes
by a rule that the caller names.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from ledger.door import REFUSALS, Door
from ledger.money import MAX_MINOR, is_amount
from ledger.postings import Posting, PostingReceipt, receipt, request_hash
from ledger.transfer import LABEL_CHECKS, TransferResult, check_posting, is_line


class ReversalKind(StrEnum):
    """Who wants it back: the house or the payer (refund), or the payer's bank (chargeback)."""

    REFUND = "refund"
    CHARGEBACK = "chargeback"


class Shortfall(StrEnum):
    """What becomes of what is not there any more."""

    REFUSE = "refuse"
    """Nothing is taken back."""
    RESERVE = "reserve"
    """Whoever had it owes it: their chargeback reserve goes below zero, and the next earnings that
    mature pay it first."""
    HOUSE = "house"
    """The house bears it, as an expense for refunds."""


DESCRIPTIONS = {ReversalKind.REFUND: "Refund", ReversalKind.CHARGEBACK: "Chargeback"}

Answered = tuple[TransferResult, dict[str, Any]]


class ReversalBooks(Protocol):
    """The books, as reversals need them; the call raises LedgerBusy."""

    async def reverse(
        self, key: tuple[UUID, UUID, bytes], fields: Mapping[str, Any]
    ) -> Answered: ...


class ReversalService:
    """Takes gifts, purchases and grants back."""

    def __init__(self, books: ReversalBooks, door: Door, wake: Callable[[], None]) -> None:
        self._books = books
        self._door = door
        self._wake = wake

    async def reverse(
        self,
        *,
        caller_id: UUID,
        request_id: UUID,
        transaction_id: UUID,
        amount_minor: int | None,
        kind: ReversalKind,
        reason: str,
        shortfall: Shortfall,
        reference: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> PostingReceipt:
        """Take `amount_minor` of a transaction back, or all that is left where it is None.

        `reason` is for the house alone. Raises InvalidAmount, InvalidReason, InvalidLabel,
        UnknownTransaction, NotReversible, AlreadyReversed, DuplicateReference, AccountClosed,
        InsufficientFunds (where the shortfall is refused), IdempotencyMismatch.
        """
        with self._door.call(kind.value) as call:
            if amount_minor is not None and not is_amount(amount_minor, at_most=MAX_MINOR):
                raise REFUSALS[TransferResult.INVALID_AMOUNT]({})
            if not is_line(reason):
                raise REFUSALS[TransferResult.INVALID_REASON]({})
            labels = Posting(kind, DESCRIPTIONS[kind], (), reason, metadata, reference)
            call.settle(check_posting(labels, LABEL_CHECKS), {})
            fields = {
                "transaction_id": transaction_id,
                "amount_minor": amount_minor,
                "shortfall": shortfall,
                "posting": {
                    "kind": kind,
                    "description": DESCRIPTIONS[kind],
                    "memo": reason,
                    "reference": reference,
                    "metadata": metadata,
                },
            }
            key = (caller_id, request_id, request_hash("reverse", fields))
            result, answer = await self._books.reverse(key, fields)
            repeated = call.settle(result, answer)
            self._wake()
            return receipt(answer, repeated=repeated)
