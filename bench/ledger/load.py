"""People who give: so many gifts in flight through the service, or one call each."""

import asyncio
import itertools
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from uuid_utils.compat import uuid4, uuid7

from config.ledger import LedgerSettings
from ledger.gifts import GiftRequest, prepare
from ledger.money import Split
from ledger.service import LedgerService
from ledger.store import LedgerStore
from ledger.store.writer import GiftWriter
from ledger.transfer import TransferResult

COINS = 10**9
SETTINGS = LedgerSettings(max_grant_minor=COINS, max_in_flight=100_000)
FUND_AT_ONCE = 100
CHOICES = 50_000
"""Of who gives to whom, made before a round begins."""
Give = Callable[[UUID, UUID], Awaitable[None]]


@dataclass
class Round:
    """What one round gave."""

    per_s: float
    p99_ms: float


class Posted:
    """The service's observer; nothing may be refused here."""

    def observe(self, operation: str, seconds: float, outcome: str) -> None:
        """Stop where the figures would mean nothing."""
        if outcome not in {"posted", "ok"}:
            raise SystemExit(f"{operation}: {outcome}; the figures mean nothing")


@dataclass(frozen=True)
class People:
    """Who gives to whom; the same choices every time."""

    payers: Sequence[UUID]
    payees: Sequence[UUID]

    @classmethod
    def of(cls, payers: int, payees: int) -> "People":
        """So many new ones."""
        return cls([uuid4() for _ in range(payers)], [uuid4() for _ in range(payees)])

    def towards(self, payees: int) -> "People":
        """The same payers, who give to other streamers."""
        return People(self.payers, [uuid4() for _ in range(payees)])


class Bench:
    """A ledger, and the loads on it."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self.store = LedgerStore(pool, SETTINGS)
        self.wake: Callable[[], None] = lambda: None
        """Called after each batch; a publisher's, while there is one."""
        self.ledger = LedgerService(SETTINGS, self.store, wake=self._committed, observer=Posted())

    def _committed(self) -> None:
        self.wake()

    async def fund(self, people: People) -> None:
        """Coins for every payer."""
        payers = list(people.payers)
        for start in range(0, len(payers), FUND_AT_ONCE):
            await asyncio.gather(
                *(
                    self.ledger.grant(
                        request_id=uuid4(),
                        user_id=payer,
                        amount_minor=COINS,
                        reason="bench",
                        granted_by=payer,
                    )
                    for payer in payers[start : start + FUND_AT_ONCE]
                )
            )

    async def through_service(self, people: People, in_flight: int, seconds: float) -> Round:
        """Gifts through the service, which commits them in groups."""
        return await _round(self._give, people, in_flight, seconds)

    async def one_call_each(
        self, people: People, in_flight: int, seconds: float, connections: int
    ) -> Round:
        """The same work in one call a gift, over so many connections with pinned plans."""
        writers: asyncio.LifoQueue[GiftWriter] = asyncio.LifoQueue()
        async with AsyncExitStack() as stack:
            for _ in range(connections):
                writer = GiftWriter(self.pool, SETTINGS)
                stack.push_async_callback(writer.close)
                writers.put_nowait(writer)

            async def give(payer: UUID, payee: UUID) -> None:
                writer = await writers.get()
                try:
                    [settled] = await writer.post([_prepared(payer, payee)])
                finally:
                    writers.put_nowait(writer)
                if settled.result is not TransferResult.POSTED:
                    raise SystemExit(f"{settled.result}; the figures mean nothing")

            return await _round(give, people, in_flight, seconds)

    async def _give(self, payer: UUID, payee: UUID) -> None:
        await self.ledger.send_gift(_request(payer, payee))


def _request(payer: UUID, payee: UUID) -> GiftRequest:
    return GiftRequest(uuid4(), payer, "Vera", payee, payee, "rose", 1)


def _prepared(payer: UUID, payee: UUID):
    return prepare(
        _request(payer, payee),
        split=Split(3, 7),
        currency="COIN",
        description="1 × Rose",
        transaction_id=uuid7(),
        event_id=str(uuid7()),
    )


async def _round(give: Give, people: People, in_flight: int, seconds: float) -> Round:
    choose = random.Random(1)
    pairs = itertools.cycle(
        zip(
            choose.choices(people.payers, k=CHOICES),
            choose.choices(people.payees, k=CHOICES),
            strict=True,
        )
    )
    latencies: list[float] = []
    started = time.perf_counter()
    end = started + seconds

    async def client() -> None:
        while (begun := time.perf_counter()) < end:
            await give(*next(pairs))
            latencies.append(time.perf_counter() - begun)

    await asyncio.gather(*(client() for _ in range(in_flight)))
    wall_s = time.perf_counter() - started
    return Round(len(latencies) / wall_s, statistics.quantiles(latencies, n=100)[98] * 1000)
