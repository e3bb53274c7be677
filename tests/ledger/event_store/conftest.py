"""A store of events about kettles, on the test's own database."""

from uuid import uuid4

import asyncpg
import pytest

from ledger.event_store.catalogue import NewEvent
from ledger.event_store.database import Database
from ledger.event_store.store import EventStore
from tests.support.kettles import CATALOGUE, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(pool: asyncpg.Pool) -> Database:
    return Database(pool, acquire_timeout_s=5, statement_timeout_s=5)


@pytest.fixture
def events(database: Database) -> EventStore:
    return EventStore(database, CATALOGUE)


@pytest.fixture
def append(database: Database, events: EventStore, clock: Clock):
    """Append to a stream; the events are of new ids unless they are ready-made."""

    async def add(stream_id: str, expected_version: int, *data):
        made = [each if isinstance(each, NewEvent) else NewEvent(uuid4(), each) for each in data]
        async with database.transaction() as transaction:
            return await events.append(transaction, stream_id, expected_version, made, clock())

    return add
