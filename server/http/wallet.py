"""Gifts, the caller's wallet and statements."""

from datetime import UTC, datetime
from uuid import UUID

from aiohttp import web
from pydantic import Field

from ledger.accounts import AccountCode
from ledger.gifts import GiftRequest
from ledger.statement_export import StatementExport
from ledger.statements import Period, StatementAccount
from server.gateway.body import Body, Query
from server.gateway.route import Answer, Call
from server.http.shapes import GivenInstant, Instant, Paging, Shape

STATEMENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""A statement has a style of its own, and nothing else."""


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
    """What a user has, and what they have earned: what is pending, and what is available.

    `held_minor` of the balance is kept back by holds, and can't be spent.
    """

    balance_minor: int
    held_minor: int
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


class StatementPeriod(Query):
    """Which account, and entries from when (included) to when (not included)."""

    account: StatementAccount = "wallet"
    begins_at: GivenInstant | None = Field(default=None, alias="from")
    ends_at: GivenInstant | None = Field(default=None, alias="to")


class StatementPaging(StatementPeriod, Paging):
    """And which part of its lines."""


class BalanceMoment(Query):
    """Which account, and when."""

    account: StatementAccount = "wallet"
    at: GivenInstant


class BalanceShape(Shape):
    """What an account had at an instant, entries of that instant included."""

    balance_minor: int
    currency: str
    at: Instant


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
    """Lines of an account, newest first; `account_id` is null before its first entry.

    `balance_minor` is that of now; the opening and closing ones are those of the period asked for.
    """

    account_id: UUID | None
    currency: str
    balance_minor: int
    opening_balance_minor: int
    closing_balance_minor: int
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
        user_id,
        account=query.account,
        cursor=query.cursor,
        limit=query.limit,
        period=Period(query.begins_at, query.ends_at),
    )
    return Answer(StatementShape.model_validate(found))


async def statement_csv(call: Call) -> web.Response:
    """The caller's own statement as CSV."""
    return await csv_of(call.principal.user_id, call)


async def statement_html(call: Call) -> web.Response:
    """The caller's own statement as a page that prints."""
    return await html_of(call.principal.user_id, call.principal.display_name, call)


async def balance(call: Call) -> Answer:
    """The caller's balance at an instant."""
    return await balance_of(call.principal.user_id, call)


async def csv_of(user_id: UUID, call: Call) -> web.Response:
    """All entries of the period that the query asks for, oldest first."""
    query = call.read(StatementPeriod)
    export = StatementExport(call.services.ledger)
    text = await export.csv(user_id, query.account, Period(query.begins_at, query.ends_at))
    name = f"statement-{query.account}.csv"
    return web.Response(
        text=text,
        content_type="text/csv",
        charset="utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def html_of(user_id: UUID, holder: str, call: Call) -> web.Response:
    """The same as one page, with opening and closing balances."""
    query = call.read(StatementPeriod)
    text = await StatementExport(call.services.ledger).html(
        user_id,
        query.account,
        Period(query.begins_at, query.ends_at),
        holder=holder,
        now=datetime.now(UTC),
    )
    return web.Response(
        text=text,
        content_type="text/html",
        charset="utf-8",
        headers={"Content-Security-Policy": STATEMENT_POLICY},
    )


async def balance_of(user_id: UUID, call: Call) -> Answer:
    """The balance of `user_id` that the query of `call` asks for."""
    query = call.read(BalanceMoment)
    ledger = call.services.ledger
    found = await ledger.balance_at(user_id, account=AccountCode(query.account), at=query.at)
    return Answer(BalanceShape(balance_minor=found, currency=ledger.currency, at=query.at))
