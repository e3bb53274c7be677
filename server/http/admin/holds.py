"""Holds: money of a user that an admin keeps back, while an alert is looked into, say."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from ledger.accounts import AccountCode
from ledger.errors import OwnMoney, UnknownHold
from ledger.holds import Hold, HoldState, OpenHold
from ledger.money import MAX_MINOR
from server.gateway.body import Body
from server.gateway.route import Answer, Call
from server.http.admin.streams import MAX_REASON_CHARS
from server.http.shapes import GivenInstant, Instant, Shape

PLACED_BY = "placed_by"
"""In the metadata of a hold: the admin. Those of payouts have none, and end with their payout."""

HoldAccount = Literal["wallet", "earnings_available"]


class NewHold(Body):
    """What is kept back, and until when; `request_id` is the idempotency key."""

    request_id: UUID
    account: HoldAccount
    amount_minor: int = Field(ge=1, le=MAX_MINOR)
    expires_at: GivenInstant
    reason: str


class Release(Body):
    """Why a hold ends before its time; the reason is kept in the audit log."""

    request_id: UUID
    reason: str = Field(min_length=1, max_length=MAX_REASON_CHARS)


class HoldShape(Shape):
    """A hold as the request left it."""

    hold_id: UUID
    account: HoldAccount
    amount_minor: int
    captured_minor: int
    currency: str
    state: HoldState
    reason: str
    expires_at: Instant


class OpenHoldShape(Shape):
    """A hold as it stands; `placed_by` is the admin, null where it is a payout's."""

    hold_id: UUID
    account: HoldAccount
    amount_minor: int
    captured_minor: int
    currency: str
    reason: str
    placed_by: UUID | None
    created_at: Instant
    expires_at: Instant


class HoldList(Shape):
    """Open holds of a user, those that end first before the others."""

    holds: list[OpenHoldShape]


async def listed(call: Call) -> Answer:
    """What is kept back of a user's money."""
    holds = await call.services.ledger.holds.open_of(call.uuid("user_id"))
    return Answer(HoldList(holds=[_open(hold) for hold in holds]))


async def place(call: Call) -> Answer:
    """Keep money back; it can't be given or paid out before the hold ends."""
    body = call.read(NewHold)
    user = await call.services.identity.user(call.uuid("user_id"))
    hold = await call.services.ledger.holds.place(
        caller_id=call.principal.user_id,
        request_id=body.request_id,
        owner_id=user.user_id,
        code=AccountCode(body.account),
        amount_minor=body.amount_minor,
        expires_at=body.expires_at,
        reason=body.reason,
        metadata={PLACED_BY: str(call.principal.user_id)},
    )
    return Answer(_shape(hold), status=201)


async def release(call: Call) -> Answer:
    """End a hold that an admin placed on somebody else's money, which is free again."""
    body, hold_id = call.read(Release), call.uuid("hold_id")
    holds = call.services.ledger.holds
    note = await holds.note_of(hold_id)
    if PLACED_BY not in note.metadata:
        raise UnknownHold
    if note.owner_id == call.principal.user_id:
        raise OwnMoney
    hold = await holds.void(
        caller_id=call.principal.user_id, request_id=body.request_id, hold_id=hold_id
    )
    return Answer(_shape(hold))


def _shape(hold: Hold) -> HoldShape:
    names = HoldShape.model_fields.keys() - {"account"}
    fields = {name: getattr(hold, name) for name in names}
    return HoldShape.model_validate(fields | {"account": hold.code})


def _open(hold: OpenHold) -> OpenHoldShape:
    own = {"account": hold.code, PLACED_BY: hold.metadata.get(PLACED_BY)}
    names = OpenHoldShape.model_fields.keys() - own.keys()
    return OpenHoldShape.model_validate({name: getattr(hold, name) for name in names} | own)
