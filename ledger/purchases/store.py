"""Purchases in PostgreSQL: a purchase's row and its stream of events move together."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from config.sql import load_queries
from ledger.errors import IdempotencyMismatch
from ledger.event_store.catalogue import EventData, NewEvent, StoredEvent, event_id
from ledger.event_store.database import Database, Row, Transaction, values_of
from ledger.event_store.store import EventStore
from ledger.purchases.errors import PaymentKnown, UnknownPurchase
from ledger.purchases.events import PurchasePaid
from ledger.purchases.purchase import PaymentRecord, Purchase
from ledger.purchases.states import PurchaseState

SQL = load_queries("ledger", "sql/purchases.sql")

WAITING = (PurchaseState.PAID, PurchaseState.REFUND_DUE)
"""For its step, or for an admin."""

Change = Callable[[Purchase], tuple[Purchase, EventData] | None]
"""Decides on a locked purchase: what it becomes and the event of it, or None to leave it."""


class PurchaseStore:
    """Purchases; everything raises LedgerBusy."""

    def __init__(self, database: Database, events: EventStore) -> None:
        self._database = database
        self._events = events

    async def add(
        self, record: PaymentRecord, currency: str, now: datetime
    ) -> tuple[Purchase, bool]:
        """A new purchase, or the one that an equal request made before (True).

        Raises IdempotencyMismatch, and PaymentKnown where the payment is another request's.
        """
        async with self._database.transaction() as transaction:
            row = await transaction.first(
                SQL["add"],
                now,
                record.user_id,
                record.recorded_by,
                record.request_id,
                record.request_hash(),
                record.amount_minor,
                currency,
                record.paid_minor,
                record.paid_currency,
                record.reference,
            )
            if row is not None:
                purchase = _purchase(row)
                data = PurchasePaid(
                    purchase.user_id,
                    purchase.amount_minor,
                    purchase.currency,
                    purchase.paid_minor,
                    purchase.paid_currency,
                    purchase.reference,
                    purchase.recorded_by,
                )
                await self._append(transaction, purchase, 0, data, now)
                return purchase, False
            row = await transaction.first(SQL["of_request"], record.recorded_by, record.request_id)
        if row is None:
            raise PaymentKnown
        if row["request_hash"] != record.request_hash():
            raise IdempotencyMismatch
        return _purchase(row), True

    async def change(self, purchase_id: UUID, change: Change, now: datetime) -> Purchase:
        """Decide on a purchase under its lock, and keep what was decided.

        Raises UnknownPurchase, and what `change` raises.
        """
        async with self._database.transaction() as transaction:
            row = await transaction.first(SQL["lock"], purchase_id)
            if row is None:
                raise UnknownPurchase
            purchase = _purchase(row)
            decided = change(purchase)
            if decided is None:
                return purchase
            changed, data = decided
            await transaction.execute(
                SQL["save"],
                purchase_id,
                purchase.version,
                changed.state,
                changed.version,
                changed.updated_at,
                changed.transaction_id,
                changed.reason,
            )
            await self._append(transaction, changed, purchase.version, data, now)
            return changed

    async def get(self, purchase_id: UUID) -> Purchase:
        """One purchase. Raises UnknownPurchase."""
        row = await self._database.first(SQL["get"], purchase_id)
        if row is None:
            raise UnknownPurchase
        return _purchase(row)

    async def history(self, purchase: Purchase) -> list[StoredEvent]:
        """Everything that happened to a purchase."""
        return await self._events.read_stream(purchase.stream_id)

    async def newest(
        self, state: PurchaseState | None, before: UUID | None, limit: int
    ) -> list[Purchase]:
        """Purchases, newest first, of one state where it is given. But for those that wait for
        something, they may be a little behind."""
        fetch = self._database.fetch if state in WAITING else self._database.fetch_behind
        rows = await fetch(SQL["newest"], state, before, limit)
        return [_purchase(row) for row in rows]

    async def _append(
        self,
        transaction: Transaction,
        purchase: Purchase,
        expected_version: int,
        data: EventData,
        now: datetime,
    ) -> None:
        new = NewEvent(event_id(purchase.stream_id, purchase.version, data.TYPE), data)
        await self._events.append(transaction, purchase.stream_id, expected_version, [new], now)


def _purchase(row: Row) -> Purchase:
    values = values_of(row)
    del values["request_hash"]
    values["state"] = PurchaseState(values["state"])
    return Purchase(**values)
