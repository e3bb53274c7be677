"""Payouts in PostgreSQL: a payout's row and its stream of events move together or not at all."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from config.sql import load_queries
from ledger.errors import IdempotencyMismatch
from ledger.event_store.catalogue import EventData, NewEvent, StoredEvent, event_id
from ledger.event_store.database import Database, Row, Transaction, values_of
from ledger.event_store.store import EventStore
from ledger.payouts.errors import PayoutUnderWay, UnknownPayout
from ledger.payouts.events import PayoutRequested
from ledger.payouts.payout import Payout, PayoutRequest, noted, stream_of
from ledger.payouts.states import OPEN, PayoutState

SQL = load_queries("ledger", "sql/payouts.sql")

FIRST = UUID(int=0)

Change = Callable[[Payout], tuple[Payout, EventData] | None]
"""Decides on a locked payout: what it becomes and the event of it, or None to leave it."""


class PayoutStore:
    """Payouts; everything raises LedgerBusy."""

    def __init__(self, database: Database, events: EventStore) -> None:
        self._database = database
        self._events = events

    async def add(
        self, request: PayoutRequest, currency: str, now: datetime
    ) -> tuple[Payout, bool]:
        """A new payout, or the one that an equal request made before (True).

        Raises IdempotencyMismatch, and PayoutUnderWay where the user has an open one.
        """
        async with self._database.transaction() as transaction:
            row = await transaction.first(
                SQL["add"],
                now,
                request.user_id,
                request.request_id,
                request.request_hash(),
                request.amount_minor,
                currency,
                request.destination,
            )
            if row is not None:
                payout = _payout(row)
                data = PayoutRequested(payout.user_id, payout.amount_minor, payout.currency)
                await self._append(transaction, payout, 0, data, now)
                return payout, False
        known = await self.of_request(request)
        if known is None:
            raise PayoutUnderWay
        return known, True

    async def of_request(self, request: PayoutRequest) -> Payout | None:
        """What an equal request made before. Raises IdempotencyMismatch where it was another."""
        row = await self._database.first(SQL["of_request"], request.user_id, request.request_id)
        if row is None:
            return None
        if row["request_hash"] != request.request_hash():
            raise IdempotencyMismatch
        return _payout(row)

    async def change(self, payout_id: UUID, change: Change, now: datetime) -> Payout:
        """Decide on a payout under its lock, and keep what was decided.

        Raises UnknownPayout, and what `change` raises.
        """
        async with self._database.transaction() as transaction:
            return await self.change_in(transaction, payout_id, change, now)

    async def change_into_batch(
        self, payout_id: UUID, batch_id: UUID, most: int, change: Change, now: datetime
    ) -> Payout | None:
        """`change` that takes it into a batch; None where nothing is taken into that any more.

        Raises UnknownPayout.
        """
        async with self._database.transaction() as transaction:
            if await transaction.first(SQL["open_batch"], batch_id) is None:
                return None
            [row] = await transaction.fetch(SQL["taken"], batch_id)
            if row["taken"] >= most:
                return None
            return await self.change_in(transaction, payout_id, change, now)

    async def change_in(
        self, transaction: Transaction, payout_id: UUID, change: Change, now: datetime
    ) -> Payout:
        """`change` as the last thing of a transaction that the caller has begun."""
        row = await transaction.first(SQL["lock"], payout_id)
        if row is None:
            raise UnknownPayout
        payout = _payout(row)
        decided = change(payout)
        if decided is None:
            return payout
        changed, data = decided
        await transaction.execute(
            SQL["save"],
            payout_id,
            payout.version,
            changed.state,
            changed.version,
            changed.updated_at,
            changed.hold_id,
            changed.transaction_id,
            changed.provider,
            changed.batch_id,
            changed.reference,
            changed.reason,
            changed.attention,
        )
        await self._append(transaction, changed, payout.version, data, now)
        return changed

    async def came_back(self, transaction: Transaction, payout_id: UUID) -> bool:
        """Whether a payout, which is locked, failed because it came back."""
        await transaction.fetch(SQL["lock"], payout_id)
        [row] = await transaction.fetch(SQL["came_back"], payout_id, stream_of(payout_id))
        return bool(row["came_back"])

    async def note(
        self, payout_id: UUID, data: EventData, now: datetime, attention: str | None = None
    ) -> Payout:
        """Keep an event that changes no state; with `attention` an admin is asked to look."""

        def change(payout: Payout) -> tuple[Payout, EventData]:
            return noted(payout, now, attention), data

        return await self.change(payout_id, change, now)

    async def history(self, payout_id: UUID) -> list[StoredEvent]:
        """Everything that happened to a payout."""
        return await self._events.read_stream(stream_of(payout_id))

    async def get(self, payout_id: UUID) -> Payout:
        """One payout. Raises UnknownPayout."""
        row = await self._database.first(SQL["get"], payout_id)
        if row is None:
            raise UnknownPayout
        return _payout(row)

    async def of_user(self, user_id: UUID, before: UUID | None, limit: int) -> list[Payout]:
        """A user's payouts, newest first."""
        return await self._list("of_user", user_id, before, limit)

    async def newest(
        self, state: PayoutState | None, before: UUID | None, limit: int
    ) -> list[Payout]:
        """Payouts, newest first, of one state where it is given. But for those under way, whom
        somebody works on, they may be a little behind."""
        if state in OPEN:
            return await self._list("newest", state, before, limit)
        rows = await self._database.fetch_behind(SQL["newest"], state, before, limit)
        return [_payout(row) for row in rows]

    async def to_look_at(self, before: UUID | None, limit: int) -> list[Payout]:
        """Payouts that an admin must look at, newest first."""
        return await self._list("to_look_at", before, limit)

    async def oldest_held(self, after: UUID, limit: int) -> list[Payout]:
        """Payouts that wait to be sent, oldest first."""
        return await self._list("oldest_held", after, limit)

    async def of_batch(self, batch_id: UUID) -> list[Payout]:
        """All payouts of a batch, in the order of their ids."""
        return await self._list("of_batch", batch_id)

    async def locked_of_batch(self, transaction: Transaction, batch_id: UUID) -> list[Payout]:
        """All payouts of a batch, whose states stay until the transaction ends."""
        rows = await transaction.fetch(SQL["lock_of_batch"], batch_id)
        return [_payout(row) for row in rows]

    async def _list(self, query: str, *args: object) -> list[Payout]:
        return [_payout(row) for row in await self._database.fetch(SQL[query], *args)]

    async def _append(
        self,
        transaction: Transaction,
        payout: Payout,
        expected_version: int,
        data: EventData,
        now: datetime,
    ) -> None:
        new = NewEvent(event_id(payout.stream_id, payout.version, data.TYPE), data)
        await self._events.append(transaction, payout.stream_id, expected_version, [new], now)


def _payout(row: Row) -> Payout:
    values = values_of(row)
    del values["request_hash"]
    values["state"] = PayoutState(values["state"])
    return Payout(**values)
