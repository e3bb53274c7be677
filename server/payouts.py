"""Payouts, purchases and their sagas, put together: over the ledger, compliance and a provider."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from config.ledger import LedgerSettings
from config.payouts import PayoutSettings
from ledger.event_store.catalogue import Catalogue
from ledger.event_store.database import Connections, Database
from ledger.event_store.store import EventStore
from ledger.payouts.batches import BatchDesk
from ledger.payouts.check import ComplianceCheck
from ledger.payouts.events import PAYOUT_EVENTS
from ledger.payouts.follow_up import FollowUp
from ledger.payouts.inbox import NoticeInbox
from ledger.payouts.ledger_books import LedgerBooks
from ledger.payouts.maturing import Maturing
from ledger.payouts.provider import ManualProvider, PayoutProvider
from ledger.payouts.saga import PayoutSteps
from ledger.payouts.service import PayoutService
from ledger.payouts.settlement import SettlementDesk
from ledger.payouts.store import PayoutStore
from ledger.purchases.events import PURCHASE_EVENTS
from ledger.purchases.ledger_books import LedgerPurchaseBooks
from ledger.purchases.saga import PurchaseSteps
from ledger.purchases.service import PurchaseService
from ledger.purchases.store import PurchaseStore
from ledger.sagas.runner import SagaRunner
from ledger.sagas.service import SagaService
from ledger.sagas.store import TaskStore
from ledger.service import LedgerService
from server.bridges.http_payouts import HttpPayoutProvider


@dataclass(frozen=True, slots=True)
class Payouts:
    """The doors into payouts, purchases and sagas, and what runs behind them."""

    requests: PayoutService
    settlement: SettlementDesk
    batches: BatchDesk
    notices: NoticeInbox
    purchases: PurchaseService
    sagas: SagaService
    runner: SagaRunner
    maturing: Maturing
    follow_up: FollowUp
    http: HttpPayoutProvider | None

    async def close(self) -> None:
        """Close the provider's connections; what runs must have ended."""
        if self.http is not None:
            await self.http.close()


def build_payouts(
    pool: asyncpg.Pool,
    settings: LedgerSettings,
    ledger: LedgerService,
    check: ComplianceCheck,
    *,
    clock: Callable[[], datetime],
    reads: Connections | None = None,
) -> Payouts:
    """All parts, not running; `reads`: where lists are read that may be a little behind."""
    database = Database(
        pool,
        acquire_timeout_s=settings.acquire_timeout_s,
        statement_timeout_s=settings.statement_timeout_s,
        reads=reads,
    )
    events = EventStore(database, Catalogue([*PAYOUT_EVENTS, *PURCHASE_EVENTS]))
    tasks = TaskStore(database)
    store, purchase_store = PayoutStore(database, events), PurchaseStore(database, events)
    books = LedgerBooks(ledger)
    http = http_provider(settings.payouts)
    providers: dict[str, PayoutProvider] = {ManualProvider.name: ManualProvider()}
    if http is not None:
        providers[http.name] = http
    steps = PayoutSteps(
        settings.payouts, store, books=books, check=check, providers=providers, clock=clock
    )
    purchase_steps = PurchaseSteps(purchase_store, LedgerPurchaseBooks(ledger), clock=clock)
    runner = SagaRunner(
        [steps.saga(), purchase_steps.saga()],
        database=database,
        events=events,
        tasks=tasks,
        settings=settings.payouts.sagas,
        clock=clock,
    )
    settlement = SettlementDesk(database, store, tasks, wake=runner.wake, clock=clock)
    return Payouts(
        requests=PayoutService(
            settings.payouts,
            store,
            books,
            currency=settings.currency,
            wake=runner.wake,
            clock=clock,
        ),
        settlement=settlement,
        batches=BatchDesk(
            settings.payouts,
            database,
            store,
            steps=steps,
            settlement=settlement,
            wake=runner.wake,
            clock=clock,
        ),
        notices=NoticeInbox(
            HttpPayoutProvider.name,
            [key.get_secret_value().encode() for key in settings.payouts.http.webhook_secrets],
            tolerance_s=settings.payouts.http.webhook_tolerance_s,
            settlement=settlement,
            clock=clock,
        ),
        purchases=PurchaseService(
            purchase_store, currency=settings.currency, wake=runner.wake, clock=clock
        ),
        sagas=SagaService(tasks, events, wake=runner.wake, clock=clock),
        runner=runner,
        maturing=Maturing(ledger.earnings, settings.payouts, clock=clock),
        follow_up=FollowUp(
            store,
            settlement,
            providers,
            every_s=settings.payouts.http.follow_up_s,
            clock=clock,
        ),
        http=http,
    )


def http_provider(settings: PayoutSettings) -> HttpPayoutProvider | None:
    """The provider over HTTP where it is set up: payouts may still be there after a change."""
    if settings.http.url is None or settings.http.token is None:
        return None
    return HttpPayoutProvider(settings.http)
