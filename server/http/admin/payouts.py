"""Payouts, seen and judged by admins."""

from typing import Any
from uuid import UUID

from pydantic import Field

from ledger.event_store.catalogue import StoredEvent, to_fields
from ledger.payouts.payout import Payout
from ledger.payouts.provider import MAX_REFERENCE_CHARS
from ledger.payouts.results import PayoutResult, ResultSource, ResultStatus
from ledger.payouts.service import PayoutPage
from ledger.payouts.states import PayoutState
from server.gateway.body import Body
from server.gateway.route import Answer, Call
from server.http.payouts import IdPaging
from server.http.shapes import Instant, Shape


class AdminPayout(Shape):
    """A payout with all that the house knows of it; of the destination the end alone."""

    payout_id: UUID
    user_id: UUID
    user_name: str
    amount_minor: int
    currency: str
    destination: str
    state: PayoutState
    provider: str | None
    batch_id: UUID | None
    reference: str | None
    reason: str | None
    attention: str | None
    requested_at: Instant
    updated_at: Instant


class AdminPayoutPage(Shape):
    """Payouts, newest first."""

    payouts: list[AdminPayout]
    next_cursor: UUID | None


class StoredEventShape(Shape):
    """One thing that happened."""

    version: int
    type: str
    data: dict[str, Any]
    created_at: Instant

    @classmethod
    def of(cls, event: StoredEvent) -> "StoredEventShape":
        """The shape of a stored event."""
        return cls(
            version=event.version,
            type=event.data.TYPE,
            data=to_fields(event.data),
            created_at=event.created_at,
        )


class AdminPayoutDetails(AdminPayout):
    """A payout and everything that happened to it."""

    history: list[StoredEventShape]


class PayoutFilter(IdPaging):
    """Which payouts: of one state, or those that need attention, or all."""

    state: PayoutState | None = None
    attention: bool = False


class Why(Body):
    """Why an admin does it."""

    reason: str


class ResultByHand(Body):
    """What became of a payout, as an admin knows it."""

    status: ResultStatus = Field(strict=False)
    reference: str | None = Field(default=None, min_length=1, max_length=MAX_REFERENCE_CHARS)
    reason: str | None = Field(default=None, min_length=1, max_length=500)


async def listed(call: Call) -> Answer:
    """Find payouts."""
    query = call.read(PayoutFilter)
    requests = call.services.payouts.requests
    page: PayoutPage
    if query.attention:
        page = await requests.to_look_at(query.cursor, query.limit)
    else:
        page = await requests.newest(query.state, query.cursor, query.limit)
    names = await call.services.identity.names({payout.user_id for payout in page.payouts})
    return Answer(
        AdminPayoutPage(
            payouts=[_shape(payout, names) for payout in page.payouts],
            next_cursor=page.next_cursor,
        )
    )


async def shown(call: Call) -> Answer:
    """One payout and its history."""
    requests = call.services.payouts.requests
    payout = await requests.get(call.uuid("payout_id"))
    history = await requests.history(payout.payout_id)
    names = await call.services.identity.names({payout.user_id})
    return Answer(
        AdminPayoutDetails(
            **_shape(payout, names).model_dump(),
            history=[StoredEventShape.of(event) for event in history],
        )
    )


async def approve(call: Call) -> Answer:
    """Let a payout in review go on."""
    return await _answer(
        call,
        await call.services.payouts.requests.approve(
            call.uuid("payout_id"), call.principal.user_id, call.read(Why).reason
        ),
    )


async def hold(call: Call) -> Answer:
    """Stop a payout that was not sent yet, until it is approved or rejected."""
    return await _answer(
        call,
        await call.services.payouts.requests.flag(
            call.uuid("payout_id"), call.principal.user_id, call.read(Why).reason
        ),
    )


async def reject(call: Call) -> Answer:
    """Refuse a payout that was not sent yet; its user reads the reason."""
    return await _answer(
        call,
        await call.services.payouts.requests.reject(
            call.uuid("payout_id"), call.principal.user_id, call.read(Why).reason
        ),
    )


async def result(call: Call) -> Answer:
    """Say what became of a payout of somebody else that was sent."""
    body = call.read(ResultByHand)
    payout = await call.services.payouts.requests.get(call.uuid("payout_id"))
    settled, _ = await call.services.payouts.settlement.record(
        PayoutResult(
            payout_id=payout.payout_id,
            status=body.status,
            amount_minor=payout.amount_minor,
            currency=payout.currency,
            reference=body.reference,
            reason=body.reason,
        ),
        ResultSource.ADMIN,
        call.principal.user_id,
    )
    return await _answer(call, settled)


async def _answer(call: Call, payout: Payout) -> Answer:
    names = await call.services.identity.names({payout.user_id})
    return Answer(_shape(payout, names))


def _shape(payout: Payout, names: dict[UUID, str]) -> AdminPayout:
    return AdminPayout(
        payout_id=payout.payout_id,
        user_id=payout.user_id,
        user_name=names.get(payout.user_id, ""),
        amount_minor=payout.amount_minor,
        currency=payout.currency,
        destination=payout.destination_shown,
        state=payout.state,
        provider=payout.provider,
        batch_id=payout.batch_id,
        reference=payout.reference,
        reason=payout.reason,
        attention=payout.attention,
        requested_at=payout.requested_at,
        updated_at=payout.updated_at,
    )
