"""A shop on the test's own database."""

import asyncpg
import pytest

from ledger.event_store.database import Database
from tests.support.kettles import Clock
from tests.support.purchase_house import Shop


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(pool: asyncpg.Pool) -> Database:
    return Database(pool, acquire_timeout_s=5, statement_timeout_s=5)


@pytest.fixture
def shop(database: Database, clock: Clock) -> Shop:
    return Shop(database, clock)
