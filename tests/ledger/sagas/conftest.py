"""Sagas about kettles: filling leads to boiling, and boiling to tea."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from config.payouts import SagaSettings
from ledger.event_store.catalogue import NewEvent, event_id
from ledger.event_store.database import Database
from ledger.event_store.store import EventStore
from ledger.sagas.runner import SagaRunner
from ledger.sagas.steps import Saga
from ledger.sagas.store import TaskStore
from tests.support.crashes import MortalDatabase
from tests.support.kettles import CATALOGUE, Boiled, Clock, Filled

SETTINGS = SagaSettings(most_attempts=3, first_backoff_s=1, longest_backoff_s=60)


@dataclass
class Kitchen:
    """A runner over a database, and what its steps did; a new one is a new process."""

    database: Database
    clock: Callable[[], datetime]
    poured: list[Any]
    """Tea is outside of the database: each cup is poured under an idempotency key."""
    fail_with: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.events = EventStore(self.database, CATALOGUE)
        self.tasks = TaskStore(self.database)
        saga = Saga(
            "tea",
            {Filled.TYPE: "boil", Boiled.TYPE: "pour"},
            {"boil": self._boil, "pour": self._pour},
        )
        self.runner = SagaRunner(
            [saga],
            database=self.database,
            events=self.events,
            tasks=self.tasks,
            settings=SETTINGS,
            clock=self.clock,
        )

    async def fill(self, stream_id: str, millilitres: int = 500) -> None:
        async with self.database.transaction() as transaction:
            event = NewEvent(uuid4(), Filled(millilitres))
            await self.events.append(transaction, stream_id, 0, [event], self.clock())

    async def settle(self) -> None:
        """Turn until there is nothing to do now."""
        while await self.runner.turn():
            pass

    async def _boil(self, task, event) -> None:
        if self.fail_with:
            raise self.fail_with.pop(0)
        boiled = NewEvent(event_id(event.stream_id, event.version + 1, "boil"), Boiled())
        async with self.database.transaction() as transaction:
            await self.events.append(
                transaction, event.stream_id, event.version, [boiled], self.clock()
            )

    async def _pour(self, task, event) -> None:
        if isinstance(self.database, MortalDatabase):
            self.database.point()
        key = task.request_id("cup")
        if key not in self.poured:
            self.poured.append(key)
        if isinstance(self.database, MortalDatabase):
            self.database.point()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(pool: asyncpg.Pool) -> Database:
    return Database(pool, acquire_timeout_s=5, statement_timeout_s=5)


@pytest.fixture
async def kitchen(database: Database, clock: Clock) -> Kitchen:
    kitchen = Kitchen(database, clock, [])
    await kitchen.runner.open()
    return kitchen
