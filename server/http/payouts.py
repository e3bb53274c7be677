"""A user's payouts: what may be asked for, asking, looking and taking back."""

from uuid import UUID

from pydantic import Field

from ledger.payouts.payout import Payout, PayoutRequest
from server.gateway.body import Body, Query
from server.gateway.route import Answer, Call
from server.http.shapes import MAX_PAGE, Instant, Shape


class IdPaging(Query):
    """Which part of a listing is asked for; `cursor` is the `next_cursor` of the part before."""

    cursor: UUID | None = None
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)


class PayoutTerms(Shape):
    """What may be asked for; earnings are pending for `maturity_days`, then available."""

    available_minor: int
    pending_minor: int
    currency: str
    min_minor: int
    max_minor: int
    maturity_days: int


class NewPayout(Body):
    """`request_id` is made by the client and is the idempotency key."""

    request_id: UUID
    amount_minor: int
    destination: str


class PayoutReceipt(Shape):
    """A payout that was asked for: always the same for the same request."""

    payout_id: UUID
    request_id: UUID
    amount_minor: int
    currency: str
    requested_at: Instant


class PayoutShape(Shape):
    """A payout as its user sees it; of the destination the end alone."""

    payout_id: UUID
    amount_minor: int
    currency: str
    destination: str
    status: str
    reason: str | None
    can_cancel: bool
    requested_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, payout: Payout) -> "PayoutShape":
        """The shape of `payout`."""
        return cls(
            payout_id=payout.payout_id,
            amount_minor=payout.amount_minor,
            currency=payout.currency,
            destination=payout.destination_shown,
            status=payout.status,
            reason=payout.reason,
            can_cancel=payout.can_cancel,
            requested_at=payout.requested_at,
            updated_at=payout.updated_at,
        )


class PayoutList(Shape):
    """Payouts, newest first."""

    payouts: list[PayoutShape]
    next_cursor: UUID | None


async def terms(call: Call) -> Answer:
    """What the caller may ask for."""
    wallet = await call.services.ledger.wallet(call.principal.user_id)
    requests = call.services.payouts.requests
    return Answer(
        PayoutTerms(
            available_minor=wallet.earnings_available_minor,
            pending_minor=wallet.earnings_minor,
            currency=wallet.currency,
            min_minor=requests.limits.min_minor,
            max_minor=requests.limits.max_minor,
            maturity_days=requests.maturity_days,
        )
    )


async def request(call: Call) -> Answer:
    """Ask for a payout of available earnings."""
    body = call.read(NewPayout)
    payout, repeated = await call.services.payouts.requests.request(
        PayoutRequest(
            request_id=body.request_id,
            user_id=call.principal.user_id,
            amount_minor=body.amount_minor,
            destination=body.destination,
        )
    )
    return Answer(PayoutReceipt.model_validate(payout), status=200 if repeated else 201)


async def listed(call: Call) -> Answer:
    """The caller's payouts."""
    query = call.read(IdPaging)
    page = await call.services.payouts.requests.of_user(
        call.principal.user_id, query.cursor, query.limit
    )
    return Answer(
        PayoutList(
            payouts=[PayoutShape.of(payout) for payout in page.payouts],
            next_cursor=page.next_cursor,
        )
    )


async def shown(call: Call) -> Answer:
    """One of the caller's payouts."""
    payout = await call.services.payouts.requests.mine(
        call.principal.user_id, call.uuid("payout_id")
    )
    return Answer(PayoutShape.of(payout))


async def cancel(call: Call) -> Answer:
    """Take back a payout that was not sent yet."""
    payout = await call.services.payouts.requests.cancel(
        call.principal.user_id, call.uuid("payout_id")
    )
    return Answer(PayoutShape.of(payout))
