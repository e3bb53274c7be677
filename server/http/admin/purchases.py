"""Payments for coins, recorded and refunded by admins."""

from uuid import UUID

from pydantic import Field

from ledger.money import MAX_MINOR
from ledger.purchases.purchase import PaymentRecord, Purchase
from ledger.purchases.states import PurchaseState
from server.gateway.body import Body
from server.gateway.route import Answer, Call
from server.http.admin.payouts import StoredEventShape, Why
from server.http.payouts import IdPaging
from server.http.shapes import Instant, Shape


class Payment(Body):
    """A payment that came in; `request_id` is the idempotency key."""

    request_id: UUID
    amount_minor: int = Field(ge=1, le=MAX_MINOR)
    paid_minor: int = Field(ge=1, le=MAX_MINOR)
    paid_currency: str
    reference: str


class PurchaseReceipt(Shape):
    """A payment that was recorded: always the same for the same request."""

    purchase_id: UUID
    request_id: UUID
    amount_minor: int
    currency: str
    recorded_at: Instant


class PurchaseShape(Shape):
    """A purchase of coins."""

    purchase_id: UUID
    user_id: UUID
    user_name: str
    amount_minor: int
    currency: str
    paid_minor: int
    paid_currency: str
    reference: str
    state: PurchaseState
    transaction_id: UUID | None
    reason: str | None
    recorded_at: Instant
    updated_at: Instant


class PurchaseDetails(PurchaseShape):
    """A purchase and everything that happened to it."""

    history: list[StoredEventShape]


class PurchaseList(Shape):
    """Purchases, newest first."""

    purchases: list[PurchaseShape]
    next_cursor: UUID | None


class PurchaseFilter(IdPaging):
    """Which purchases; `state` left out means all."""

    state: PurchaseState | None = None


async def record(call: Call) -> Answer:
    """Record a payment; its coins are credited, or its refund falls due."""
    body = call.read(Payment)
    user = await call.services.identity.user(call.uuid("user_id"))
    purchase, repeated = await call.services.payouts.purchases.record(
        PaymentRecord(
            request_id=body.request_id,
            recorded_by=call.principal.user_id,
            user_id=user.user_id,
            amount_minor=body.amount_minor,
            paid_minor=body.paid_minor,
            paid_currency=body.paid_currency,
            reference=body.reference,
        )
    )
    return Answer(PurchaseReceipt.model_validate(purchase), status=200 if repeated else 201)


async def listed(call: Call) -> Answer:
    """Find purchases."""
    query = call.read(PurchaseFilter)
    page = await call.services.payouts.purchases.newest(query.state, query.cursor, query.limit)
    names = await call.services.identity.names({each.user_id for each in page.purchases})
    return Answer(
        PurchaseList(
            purchases=[_shape(purchase, names) for purchase in page.purchases],
            next_cursor=page.next_cursor,
        )
    )


async def shown(call: Call) -> Answer:
    """One purchase and its history."""
    purchases = call.services.payouts.purchases
    purchase = await purchases.get(call.uuid("purchase_id"))
    history = await purchases.history(purchase.purchase_id)
    names = await call.services.identity.names({purchase.user_id})
    return Answer(
        PurchaseDetails(
            **_shape(purchase, names).model_dump(),
            history=[StoredEventShape.of(event) for event in history],
        )
    )


async def refunded(call: Call) -> Answer:
    """Say that a payment whose refund was due went back."""
    purchase = await call.services.payouts.purchases.refunded(
        call.uuid("purchase_id"), call.principal.user_id, call.read(Why).reason
    )
    names = await call.services.identity.names({purchase.user_id})
    return Answer(_shape(purchase, names))


def _shape(purchase: Purchase, names: dict[UUID, str]) -> PurchaseShape:
    values = {
        name: getattr(purchase, name) for name in PurchaseShape.model_fields if name != "user_name"
    }
    return PurchaseShape(**values, user_name=names.get(purchase.user_id, ""))
