"""The step of a purchase, and its compensation.

purchase.paid ─ credit ─► credited: payment_clearing → wallet
                       └► refused where the books do not take it, so that the refund is due:
                          an admin sees it, sends the money back, and says so
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

from ledger.event_store.catalogue import EventData, StoredEvent
from ledger.purchases.errors import CreditRefused
from ledger.purchases.events import PurchaseCredited, PurchasePaid, PurchaseRefused
from ledger.purchases.purchase import Purchase, advanced, purchase_of
from ledger.purchases.states import PurchaseAction, PurchaseState
from ledger.purchases.store import PurchaseStore
from ledger.sagas.steps import Saga, Task

REACTIONS: Mapping[str, str] = MappingProxyType({PurchasePaid.TYPE: "purchase.credit"})


class PurchaseBooks(Protocol):
    """The ledger, as purchases need it."""

    async def credit(self, purchase: Purchase) -> UUID:
        """Post the coins, once; the transaction's id. Raises CreditRefused, LedgerBusy."""


class PurchaseSteps:
    """Does the step."""

    def __init__(
        self, store: PurchaseStore, books: PurchaseBooks, *, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._books = books
        self._clock = clock

    def saga(self) -> Saga:
        """The step, for the runner."""
        return Saga("purchase", REACTIONS, {"purchase.credit": self.credit})

    async def credit(self, task: Task, event: StoredEvent) -> None:
        """Credit the coins, or note that the payment must go back."""
        purchase = await self._store.get(purchase_of(event.stream_id))
        if purchase.state is not PurchaseState.PAID:
            return
        now = self._clock()
        try:
            transaction_id = await self._books.credit(purchase)
        except CreditRefused as error:
            reason = str(error)
            changed = advanced(purchase, PurchaseAction.REFUSE, now, reason=reason)
            data: EventData = PurchaseRefused(reason)
        else:
            changed = advanced(purchase, PurchaseAction.CREDIT, now, transaction_id=transaction_id)
            data = PurchaseCredited(transaction_id)

        def change(current: Purchase) -> tuple[Purchase, EventData] | None:
            return (changed, data) if current.version == purchase.version else None

        await self._store.change(purchase.purchase_id, change, now)
