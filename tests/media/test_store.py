from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest

from media.catalog import CatalogState, Stream
from media.store import StreamStore

STREAM = Stream(
    stream_id=UUID(int=7),
    owner_id=UUID(int=1),
    owner_name="Ada",
    title="One",
    state=CatalogState.OFFLINE,
    started_at=None,
    created_at=datetime(2026, 1, 31, tzinfo=UTC),
)


@pytest.fixture
def store(pool: asyncpg.Pool) -> StreamStore:
    return StreamStore(pool)


async def test_what_is_kept_comes_back(store: StreamStore) -> None:
    assert await store.insert(STREAM, b"k" * 32, max_streams=1) == STREAM
    assert await store.get(STREAM.stream_id) == STREAM
    assert await store.key_hash(STREAM.stream_id) == b"k" * 32


async def test_a_full_owner_gets_none(store: StreamStore) -> None:
    await store.insert(STREAM, b"k" * 32, max_streams=1)
    second = replace(STREAM, stream_id=UUID(int=8))
    assert await store.insert(second, b"k" * 32, max_streams=1) is None
    assert await store.get(second.stream_id) is None


async def test_nothing_is_none(store: StreamStore) -> None:
    assert await store.get(UUID(int=9)) is None
    assert await store.rename(UUID(int=9), "Two") is None
    assert await store.replace_key(UUID(int=9), b"k" * 32) is None
    assert await store.key_hash(UUID(int=9)) is None


async def test_the_table_refuses_what_the_rules_forbid(pool: asyncpg.Pool) -> None:
    await StreamStore(pool).insert(STREAM, b"k" * 32, max_streams=1)
    for change in ("title = ''", "key_hash = 'short'", "state = 'on'", "state = 'live'"):
        with pytest.raises(asyncpg.CheckViolationError):
            await pool.execute(f"UPDATE media.streams SET {change}")
