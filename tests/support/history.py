"""A short history of the ledger, posted by the database's own functions and the gifts' writer."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from config.ledger import LedgerSettings
from ledger.gifts import GiftRequest, prepare
from ledger.money import Split
from ledger.store.writer import GiftWriter

COIN = "COIN"


def leg(owner: UUID | None, code: str, amount_minor: int, currency: str = COIN) -> dict[str, Any]:
    """One leg of a posting."""
    return {
        "owner_id": None if owner is None else str(owner),
        "code": code,
        "currency": currency,
        "amount_minor": amount_minor,
    }


async def post(pool: asyncpg.Pool, *legs: dict[str, Any], **fields: Any) -> UUID:
    """Post one transaction; its id."""
    posting = {
        "kind": "test",
        "description": "a test",
        "legs": legs,
        "event": {"type": "posting.made", "data": {}},
        **fields,
    }
    row = await pool.fetchrow(
        "SELECT * FROM ledger.post($1, $2, $3, $4)", uuid4(), uuid4(), b"h" * 32, [posting]
    )
    assert row["result"] == "posted", dict(row)
    return UUID(json.loads(row["answer"])["postings"][0]["transaction_id"])


async def fund(pool: asyncpg.Pool, user: UUID, amount_minor: int, **fields: Any) -> UUID:
    """Coins out of issuance for a user."""
    return await post(
        pool, leg(user, "wallet", amount_minor), leg(None, "issuance", -amount_minor), **fields
    )


async def give(
    pool: asyncpg.Pool, payer: UUID, payee: UUID, amount_minor: int, **fields: Any
) -> UUID:
    """A transfer of coins of which a tenth is the house's."""
    fee = amount_minor // 10
    return await post(
        pool,
        leg(payer, "wallet", -amount_minor),
        leg(payee, "earnings", amount_minor - fee),
        *([leg(None, "fees", fee)] if fee else []),
        metadata={"b": 1, "a": "ü"},
        **fields,
    )


async def send(
    pool: asyncpg.Pool, payer: UUID, payee: UUID, total_minor: int, *, fee_minor: int
) -> UUID:
    """A gift, as the writer of gifts posts it; its id."""
    request = GiftRequest(uuid4(), payer, "Vera", payee, uuid4(), "rose", 1)
    gift = prepare(
        request,
        split=Split(fee_minor, total_minor - fee_minor),
        currency=COIN,
        description="1 × Rose",
        transaction_id=uuid4(),
        event_id=str(uuid4()),
    )
    writer = GiftWriter(pool, LedgerSettings())
    [settled] = await writer.post([gift])
    await writer.close()
    assert settled.result == "posted"
    return gift.transaction_id


async def reverse(
    pool: asyncpg.Pool, transaction_id: UUID, amount_minor: int, shortfall: str = "refuse"
) -> UUID:
    """Take part of a gift, purchase or grant back; the id of what does."""
    posting = {"kind": "refund", "description": "a refund"}
    row = await pool.fetchrow(
        "SELECT * FROM ledger.reverse($1, $2, $3, $4, $5, $6, $7)",
        *(uuid4(), uuid4(), b"h" * 32, transaction_id, amount_minor, shortfall, posting),
    )
    assert row["result"] == "posted", dict(row)
    return UUID(json.loads(row["answer"])["postings"][0]["transaction_id"])


async def reserve(
    pool: asyncpg.Pool,
    owner: UUID,
    amount_minor: int,
    *,
    reason: str = "test",
    metadata: dict[str, Any] | None = None,
) -> UUID:
    """Keep something of a wallet back by a request, which posts nothing; the request's id."""
    request_id = uuid4()
    until = datetime.now(UTC) + timedelta(days=1)
    row = await pool.fetchrow(
        "SELECT * FROM ledger.place_hold($1, $2, $3, $4, 'wallet', $5, $6, $7, $8, $9)",
        *(owner, request_id, b"h" * 32, owner, COIN, amount_minor, until, reason, metadata),
    )
    assert row["result"] == "posted", dict(row)
    return request_id


async def void(pool: asyncpg.Pool, hold_id: UUID) -> None:
    """Give back what a hold keeps."""
    row = await pool.fetchrow(
        "SELECT * FROM ledger.void_hold($1, $2, $3, $4)", uuid4(), uuid4(), b"h" * 32, hold_id
    )
    assert row["result"] == "posted", dict(row)


async def capture(pool: asyncpg.Pool, hold_id: UUID, amount_minor: int | None = None) -> None:
    """Post what a hold keeps, or part of it, to the payouts under way."""
    row = await pool.fetchrow(
        "SELECT * FROM ledger.capture_hold("
        "$1, $2, $3, $4, $5, ROW(NULL, 'payouts', 'COIN', 1)::ledger.leg, $6)",
        *(uuid4(), uuid4(), b"h" * 32, hold_id, amount_minor),
        {"kind": "payout", "description": "a payout"},
    )
    assert row["result"] == "posted", dict(row)
