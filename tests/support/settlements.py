"""Purchases and settlement files, for reconciliation."""

import hashlib
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import asyncpg


async def bought(
    pool: asyncpg.Pool,
    reference: str,
    paid_minor: int,
    on: date,
    *,
    state: str = "paid",
    amount_minor: int = 500,
    user_id: UUID | None = None,
    transaction_id: UUID | None = None,
) -> UUID:
    """A purchase of coins, paid in euros at noon of that day; its id."""
    purchase_id = uuid4()
    at = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
    await pool.execute(
        "INSERT INTO ledger.purchases (purchase_id, user_id, recorded_by, request_id, request_hash,"
        " amount_minor, currency, paid_minor, paid_currency, reference, state, version,"
        " recorded_at, updated_at, transaction_id)"
        " VALUES ($1, $2, $3, $4, $5, $6, 'COIN', $7, 'EUR', $8, $9, 1, $10, $10, $11)",
        purchase_id,
        user_id or uuid4(),
        uuid4(),
        uuid4(),
        b"h" * 32,
        amount_minor,
        paid_minor,
        reference,
        state,
        at,
        transaction_id,
    )
    return purchase_id


def settlement(*rows: str) -> bytes:
    """A file in the default format; rows are `id,reference,amount,currency,date`."""
    return "\r\n".join(["id,reference,amount,currency,date", *rows, ""]).encode()


class PlainStream:
    """A stream of batches that tests write into."""

    def __init__(self) -> None:
        self.batches: dict[int, bytes] = {}

    def put(self, sequence: int, events: str) -> None:
        """Publish a batch."""
        self.batches[sequence] = hashlib.sha256(events.encode()).digest()

    async def newest(self, limit: int) -> dict[int, bytes]:
        return dict(sorted(self.batches.items())[-limit:])
