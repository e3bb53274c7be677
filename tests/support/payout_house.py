"""Everything that payouts need, over a real database: books, a check and a provider that obey."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

from config.payouts import PayoutSettings, SagaSettings
from ledger.event_store.catalogue import Catalogue
from ledger.event_store.database import Database
from ledger.event_store.store import EventStore
from ledger.payouts.batches import BatchDesk
from ledger.payouts.check import Verdict
from ledger.payouts.errors import ProviderUnavailable, Unfunded
from ledger.payouts.events import PAYOUT_EVENTS
from ledger.payouts.payout import Payout, PayoutRequest
from ledger.payouts.provider import Accepted, ManualProvider, PayoutOrder, Refused
from ledger.payouts.results import PayoutResult, ResultStatus
from ledger.payouts.saga import PayoutSteps
from ledger.payouts.service import PayoutService
from ledger.payouts.settlement import SettlementDesk
from ledger.payouts.store import PayoutStore
from ledger.sagas.runner import SagaRunner
from ledger.sagas.store import TaskStore
from tests.support.crashes import MortalDatabase

SAGAS = SagaSettings(most_attempts=3, first_backoff_s=1, longest_backoff_s=60)
DESTINATION = "DE02 1203 0000 0000 2020 51"


@dataclass
class PlainBooks:
    """The ledger as counters; every request has one effect."""

    available: Counter[UUID] = field(default_factory=Counter)
    held: dict[UUID, tuple[UUID, int]] = field(default_factory=dict)
    on_the_way: int = 0
    paid: int = 0
    answers: dict[UUID, Any] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """What there is; it never changes."""
        held = sum(amount for _, amount in self.held.values())
        return sum(self.available.values()) + held + self.on_the_way + self.paid

    def expire(self) -> None:
        """End all holds."""
        for user_id, amount in self.held.values():
            self.available[user_id] += amount
        self.held.clear()

    async def available_minor(self, user_id: UUID) -> int:
        return self.available[user_id]

    async def hold(self, payout: Payout, expires_at: datetime) -> UUID:
        def once() -> UUID:
            if self.available[payout.user_id] < payout.amount_minor:
                raise Unfunded("Your available earnings are smaller than this payout.")
            self.available[payout.user_id] -= payout.amount_minor
            hold_id = uuid5(payout.payout_id, "its hold")
            self.held[hold_id] = (payout.user_id, payout.amount_minor)
            return hold_id

        return self._once(payout, "hold", once)

    async def capture(self, payout: Payout) -> UUID:
        def once() -> UUID:
            if payout.hold_id not in self.held:
                raise Unfunded("The hold has ended.")
            self.on_the_way += self.held.pop(payout.hold_id)[1]
            return uuid4()

        return self._once(payout, "capture", once)

    async def void(self, payout: Payout) -> None:
        if payout.hold_id in self.held:
            user_id, amount = self.held.pop(payout.hold_id)
            self.available[user_id] += amount

    async def clear(self, payout: Payout) -> UUID:
        def once() -> UUID:
            self.on_the_way -= payout.amount_minor
            self.paid += payout.amount_minor
            return uuid4()

        return self._once(payout, "clear", once)

    async def give_back(self, payout: Payout) -> UUID:
        def once() -> UUID:
            self.on_the_way -= payout.amount_minor
            self.available[payout.user_id] += payout.amount_minor
            return uuid4()

        return self._once(payout, "give_back", once)

    async def take_back(self, payout: Payout) -> UUID:
        def once() -> UUID:
            self.paid -= payout.amount_minor
            self.available[payout.user_id] += payout.amount_minor
            return uuid4()

        return self._once(payout, "take_back", once)

    def _once(self, payout: Payout, purpose: str, do: Callable[[], UUID]) -> UUID:
        key = payout.request_key(purpose)
        if key not in self.answers:
            self.answers[key] = do()
        answer: UUID = self.answers[key]
        return answer


@dataclass
class Watch:
    """A compliance check that knows suspects."""

    suspects: set[UUID] = field(default_factory=set)
    failures: list[Exception] = field(default_factory=list)

    async def judge(self, user_id: UUID) -> Verdict:
        if self.failures:
            raise self.failures.pop(0)
        if user_id in self.suspects:
            return Verdict(False, "There is an open alert.")
        return Verdict(True)


@dataclass
class Bank:
    """An automatic provider: pays once for an order however often it comes."""

    name: str = "http"
    automatic: bool = True
    paid: dict[UUID, PayoutOrder] = field(default_factory=dict)
    calls: int = 0
    answers: list[Any] = field(default_factory=list)
    """What comes next in place of a yes: an exception to raise, or a refusal."""
    lost_answers: list[Exception] = field(default_factory=list)
    """What is raised next after the order was taken."""
    outcomes: dict[UUID, PayoutResult] = field(default_factory=dict)
    """What it says when it is asked."""
    away: bool = False
    refusal: Refused | None = None
    """What every order is answered, where it is set."""

    async def submit(self, order: PayoutOrder) -> Accepted | Refused:
        self.calls += 1
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Refused) or self.refusal:
            return answer or self.refusal
        assert self.paid.setdefault(order.payout_id, order) == order
        if self.lost_answers:
            raise self.lost_answers.pop(0)
        return Accepted(f"BANK-{order.payout_id}")

    async def look_up(self, order: PayoutOrder) -> PayoutResult | None:
        if self.away:
            raise ProviderUnavailable("away")
        return self.outcomes.get(order.payout_id)


class _Mortal:
    """Something outside of the database that the process may die before and after calling."""

    def __init__(self, inner: Any, database: MortalDatabase) -> None:
        self._inner = inner
        self._database = database

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        async def call(*args: Any) -> Any:
            self._database.point()
            answer = await found(*args)
            self._database.point()
            return answer

        return call


@dataclass
class House:
    """All parts of payouts; a new one over the same database, books and bank is a new process."""

    database: Database
    clock: Any
    books: Any = field(default_factory=PlainBooks)
    watch: Watch = field(default_factory=Watch)
    bank: Bank = field(default_factory=Bank)
    automatic: bool = False
    fields: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        books, watch, bank = self.books, self.watch, self.bank
        if isinstance(self.database, MortalDatabase):
            books, watch, bank = (_Mortal(each, self.database) for each in (books, watch, bank))
        self.settings = PayoutSettings(sagas=SAGAS, **self.fields).model_copy(
            update={"provider": "http" if self.automatic else "manual"}
        )
        self.events = EventStore(self.database, Catalogue(PAYOUT_EVENTS))
        self.store = PayoutStore(self.database, self.events)
        self.tasks = TaskStore(self.database)
        self.steps = PayoutSteps(
            self.settings,
            self.store,
            books=books,
            check=watch,
            providers={"manual": ManualProvider(), "http": bank},
            clock=self.clock,
        )
        self.runner = SagaRunner(
            [self.steps.saga()],
            database=self.database,
            events=self.events,
            tasks=self.tasks,
            settings=SAGAS,
            clock=self.clock,
        )
        self.service = PayoutService(
            self.settings,
            self.store,
            books,
            currency="COIN",
            wake=self.runner.wake,
            clock=self.clock,
        )
        self.settlement = SettlementDesk(
            self.database, self.store, self.tasks, wake=self.runner.wake, clock=self.clock
        )
        self.batches = BatchDesk(
            self.settings,
            self.database,
            self.store,
            steps=self.steps,
            settlement=self.settlement,
            wake=self.runner.wake,
            clock=self.clock,
        )

    def restarted(self, database: Database | None = None) -> "House":
        """Another process: the same world, nothing remembered."""
        return House(
            database or self.database,
            self.clock,
            self.books,
            self.watch,
            self.bank,
            self.automatic,
            self.fields,
        )

    def user(self, earned_minor: int = 10_000) -> UUID:
        """A streamer with available earnings."""
        user_id = uuid4()
        self.books.available[user_id] = earned_minor
        return user_id

    async def ask(self, user_id: UUID, amount_minor: int = 5_000, **fields: Any) -> Payout:
        """Request a payout."""
        request = PayoutRequest(
            **{"request_id": uuid4(), "destination": DESTINATION, **fields},
            user_id=user_id,
            amount_minor=amount_minor,
        )
        payout, _ = await self.service.request(request)
        return payout

    async def settle(self) -> None:
        """Do all steps that are due."""
        await self.runner.open()
        while await self.runner.turn():
            pass

    async def state(self, payout: Payout) -> str:
        return str((await self.store.get(payout.payout_id)).state)

    async def history(self, payout: Payout) -> list[str]:
        """What happened to it, in short."""
        return [
            event.data.TYPE.removeprefix("payout.")
            for event in await self.store.history(payout.payout_id)
        ]


def result(payout: Payout, status: str, reason: str | None = None, **fields: Any) -> PayoutResult:
    """What a provider says of a payout."""
    sound: dict[str, Any] = {
        "payout_id": payout.payout_id,
        "status": ResultStatus(status),
        "amount_minor": payout.amount_minor,
        "currency": payout.currency,
        "reference": None,
        "reason": reason,
    }
    return PayoutResult(**sound | fields)
