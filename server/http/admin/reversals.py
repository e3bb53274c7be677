"""Refunds and chargebacks: transactions taken back by admins, in part or whole."""

from uuid import UUID

from pydantic import Field

from ledger.money import MAX_MINOR
from ledger.postings import PostingReceipt
from ledger.reversals import ReversalKind, Shortfall
from server.gateway.body import Body
from server.gateway.route import Answer, Call
from server.http.shapes import Instant, Shape


class Reversal(Body):
    """What is taken back; all that is left where `amount_minor` is null.

    `request_id` is the idempotency key. `shortfall` says what becomes of what is not there any
    more: refuse, reserve (whoever had it owes it) or house. `reference` is the bank's.
    """

    request_id: UUID
    amount_minor: int | None = Field(default=None, ge=1, le=MAX_MINOR)
    reason: str
    shortfall: Shortfall | None = Field(default=None, strict=False)
    reference: str | None = Field(default=None, min_length=1, max_length=200)


class ReversedLeg(Shape):
    """What was added to an account; null balances are those of the house."""

    owner_id: UUID | None
    code: str
    currency: str
    amount_minor: int
    balance_minor: int | None


class ReversalReceipt(Shape):
    """A posted reversal."""

    transaction_id: UUID
    posted_at: Instant
    legs: list[ReversedLeg]


async def refund(call: Call) -> Answer:
    """Refund a transaction; refused where the money is gone, unless the body says otherwise."""
    return await _reverse(call, ReversalKind.REFUND, Shortfall.REFUSE)


async def chargeback(call: Call) -> Answer:
    """Charge a transaction back; what is gone is owed, unless the body says otherwise."""
    return await _reverse(call, ReversalKind.CHARGEBACK, Shortfall.RESERVE)


async def _reverse(call: Call, kind: ReversalKind, shortfall: Shortfall) -> Answer:
    body = call.read(Reversal)
    posted = await call.services.ledger.reversals.reverse(
        caller_id=call.principal.user_id,
        request_id=body.request_id,
        transaction_id=call.uuid("transaction_id"),
        amount_minor=body.amount_minor,
        kind=kind,
        reason=body.reason,
        shortfall=body.shortfall or shortfall,
        reference=body.reference,
    )
    return Answer(_receipt(posted), status=200 if posted.repeated else 201)


def _receipt(posted: PostingReceipt) -> ReversalReceipt:
    [transaction] = posted.transactions
    return ReversalReceipt(
        transaction_id=transaction.transaction_id,
        posted_at=posted.posted_at,
        legs=[ReversedLeg.model_validate(leg) for leg in transaction.legs],
    )
