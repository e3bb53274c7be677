"""Everything that purchases need, over a real database: books that obey."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from config.payouts import SagaSettings
from ledger.event_store.catalogue import Catalogue
from ledger.event_store.database import Database
from ledger.event_store.store import EventStore
from ledger.purchases.errors import CreditRefused
from ledger.purchases.events import PURCHASE_EVENTS
from ledger.purchases.purchase import PaymentRecord, Purchase
from ledger.purchases.saga import PurchaseSteps
from ledger.purchases.service import PurchaseService
from ledger.purchases.store import PurchaseStore
from ledger.sagas.runner import SagaRunner
from ledger.sagas.store import TaskStore
from tests.support.crashes import MortalDatabase

SAGAS = SagaSettings(most_attempts=3, first_backoff_s=1, longest_backoff_s=60)


@dataclass
class PlainWallets:
    """Credits under their keys; `refuses` is what every new one is answered."""

    credited: dict[UUID, int] = field(default_factory=dict)
    refuses: str | None = None
    failures: list[Exception] = field(default_factory=list)

    async def credit(self, purchase: Purchase) -> UUID:
        if self.failures:
            raise self.failures.pop(0)
        if self.refuses and purchase.request_key() not in self.credited:
            raise CreditRefused(self.refuses)
        self.credited[purchase.request_key()] = purchase.amount_minor
        return purchase.request_key()


@dataclass
class Shop:
    """All parts of purchases; a new one over the same database and wallets is a new process."""

    database: Database
    clock: Any
    wallets: PlainWallets = field(default_factory=PlainWallets)

    def __post_init__(self) -> None:
        self.events = EventStore(self.database, Catalogue(PURCHASE_EVENTS))
        self.store = PurchaseStore(self.database, self.events)
        self.tasks = TaskStore(self.database)
        self.runner = SagaRunner(
            [PurchaseSteps(self.store, self, clock=self.clock).saga()],
            database=self.database,
            events=self.events,
            tasks=self.tasks,
            settings=SAGAS,
            clock=self.clock,
        )
        self.service = PurchaseService(
            self.store, currency="COIN", wake=self.runner.wake, clock=self.clock
        )

    async def credit(self, purchase: Purchase) -> UUID:
        """The wallets, before and after which the process may die."""
        if isinstance(self.database, MortalDatabase):
            self.database.point()
        credited = await self.wallets.credit(purchase)
        if isinstance(self.database, MortalDatabase):
            self.database.point()
        return credited

    async def settle(self) -> None:
        """Do all steps that are due."""
        await self.runner.open()
        while await self.runner.turn():
            pass

    async def history(self, purchase: Purchase) -> list[str]:
        """What happened to it, in short."""
        events = await self.service.history(purchase.purchase_id)
        return [event.data.TYPE.removeprefix("purchase.") for event in events]


def a_payment(**fields: Any) -> PaymentRecord:
    """A sound record; keywords replace its fields."""
    sound: dict[str, Any] = {
        "request_id": uuid4(),
        "recorded_by": uuid4(),
        "user_id": uuid4(),
        "amount_minor": 500,
        "paid_minor": 499,
        "paid_currency": "EUR",
        "reference": f"PAY-{uuid4()}",
    }
    return PaymentRecord(**sound | fields)
