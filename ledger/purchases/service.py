"""The door for whoever records payments for coins: admins now, the shop later."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.event_store.catalogue import EventData, StoredEvent
from ledger.purchases.errors import InvalidPurchaseField
from ledger.purchases.events import PurchaseRefunded
from ledger.purchases.purchase import PaymentRecord, Purchase, advanced, check_record
from ledger.purchases.states import PurchaseAction, PurchaseState
from ledger.purchases.store import PurchaseStore

MAX_REASON_CHARS = 500


@dataclass(frozen=True, slots=True)
class PurchasePage:
    """Purchases, newest first; `next_cursor` is the id of the last one where more follow."""

    purchases: tuple[Purchase, ...]
    next_cursor: UUID | None


class PurchaseService:
    """Everything raises LedgerBusy."""

    def __init__(
        self,
        store: PurchaseStore,
        *,
        currency: str,
        wake: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        """`wake` is called after every record: a step follows."""
        self._store = store
        self._currency = currency
        self._wake = wake
        self._clock = clock

    async def record(self, record: PaymentRecord) -> tuple[Purchase, bool]:
        """Record a payment, so that its coins are credited; once, however often it comes.

        Raises InvalidPurchaseField, IdempotencyMismatch, PaymentKnown.
        """
        check_record(record)
        recorded = await self._store.add(record, self._currency, self._clock())
        self._wake()
        return recorded

    async def refunded(self, purchase_id: UUID, by: UUID, reason: str) -> Purchase:
        """Say that a payment that could not be credited went back; again is as once.

        Raises UnknownPurchase, PurchaseConflict, InvalidPurchaseField.
        """
        said = reason.strip()
        if not said or len(said) > MAX_REASON_CHARS or not said.isprintable():
            raise InvalidPurchaseField(
                "reason", f"Say how, in one line of 1 to {MAX_REASON_CHARS} characters."
            )
        now = self._clock()

        def change(purchase: Purchase) -> tuple[Purchase, EventData] | None:
            if purchase.state is PurchaseState.REFUNDED:
                return None
            changed = advanced(purchase, PurchaseAction.REFUND, now, reason=said)
            return changed, PurchaseRefunded(said, by)

        return await self._store.change(purchase_id, change, now)

    async def newest(
        self, state: PurchaseState | None, cursor: UUID | None, limit: int
    ) -> PurchasePage:
        """A page of purchases, of one state where it is given."""
        found = await self._store.newest(state, cursor, limit + 1)
        shown = tuple(found[:limit])
        return PurchasePage(shown, shown[-1].purchase_id if len(found) > limit else None)

    async def get(self, purchase_id: UUID) -> Purchase:
        """One purchase. Raises UnknownPurchase."""
        return await self._store.get(purchase_id)

    async def history(self, purchase_id: UUID) -> list[StoredEvent]:
        """Everything that happened to a purchase. Raises UnknownPurchase."""
        return await self._store.history(await self._store.get(purchase_id))
