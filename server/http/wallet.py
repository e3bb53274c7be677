"""Gifts, the caller's wallet and statements."""

from typing import Literal
from uuid import UUID

from ledger.gifts import GiftRequest
from server.gateway.body import Body
from server.gateway.route import Answer, Call
from server.http.shapes import Instant, Paging, Shape


class GiftShape(Shape):
    """One gift of the catalogue."""

    gift_id: str
    name: str
    emoji: str
    price_minor: int
    currency: str


class GiftList(Shape):
    """The catalogue, and how many pieces one request may ask for."""

    gifts: list[GiftShape]
    max_count: int


class WalletShape(Shape):
    """What a user can spend, and what they have earned: what is pending, and what is available."""

    balance_minor: int
    earnings_minor: int
    earnings_available_minor: int
    currency: str


class SendGift(Body):
    """`request_id` is made by the client and is the idempotency key."""

    request_id: UUID
    gift_id: str
    count: int


class GiftReceiptShape(Shape):
    """A posted gift."""

    request_id: UUID
    transaction_id: UUID
    gift_id: str
    count: int
    total_minor: int
    currency: str
    balance_minor: int
    posted_at: Instant


class StatementPaging(Paging):
    """Which account, and which part of its lines."""

    account: Literal["wallet", "earnings"] = "wallet"


class StatementLineShape(Shape):
    """One entry; `amount_minor` is negative where the balance went down."""

    entry_id: int
    transaction_id: UUID
    kind: str
    amount_minor: int
    balance_minor: int
    description: str
    created_at: Instant


class StatementShape(Shape):
    """Lines of an account, newest first; `account_id` is null before its first entry."""

    account_id: UUID | None
    currency: str
    balance_minor: int
    lines: list[StatementLineShape]
    next_cursor: str | None


async def gifts(call: Call) -> Answer:
    """The gifts that can be sent."""
    ledger = call.services.ledger
    return Answer(
        GiftList(
            gifts=[
                GiftShape(
                    gift_id=gift.gift_id,
                    name=gift.name,
                    emoji=gift.emoji,
                    price_minor=gift.price_minor,
                    currency=ledger.currency,
                )
                for gift in ledger.catalogue
            ],
            max_count=ledger.max_count,
        )
    )


async def send_gift(call: Call) -> Answer:
    """Send a gift to the owner of a stream."""
    body = call.read(SendGift)
    stream = await call.services.catalog.get(call.uuid("stream_id"))
    receipt = await call.services.ledger.send_gift(
        GiftRequest(
            request_id=body.request_id,
            payer_id=call.principal.user_id,
            payer_name=call.principal.display_name,
            payee_id=stream.owner_id,
            stream_id=stream.stream_id,
            gift_id=body.gift_id,
            count=body.count,
        )
    )
    shape = GiftReceiptShape.model_validate(receipt)
    return Answer(shape, status=200 if receipt.repeated else 201)


async def wallet(call: Call) -> Answer:
    """The caller's balances."""
    balances = await call.services.ledger.wallet(call.principal.user_id)
    return Answer(WalletShape.model_validate(balances))


async def statement(call: Call) -> Answer:
    """The caller's own statement."""
    return await statement_of(call.principal.user_id, call)


async def statement_of(user_id: UUID, call: Call) -> Answer:
    """The statement of `user_id` that the query of `call` asks for."""
    query = call.read(StatementPaging)
    found = await call.services.ledger.statement(
        user_id, account=query.account, cursor=query.cursor, limit=query.limit
    )
    return Answer(StatementShape.model_validate(found))
