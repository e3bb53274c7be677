"""A house of payouts on the test's own database."""

import asyncpg
import pytest

from ledger.event_store.database import Database
from tests.support.kettles import Clock
from tests.support.payout_house import House


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(pool: asyncpg.Pool) -> Database:
    return Database(pool, acquire_timeout_s=5, statement_timeout_s=5)


@pytest.fixture
def house(database: Database, clock: Clock) -> House:
    """Paid by hand."""
    return House(database, clock)


@pytest.fixture
def wired(database: Database, clock: Clock) -> House:
    """Paid by a bank, one by one."""
    return House(database, clock, automatic=True)
