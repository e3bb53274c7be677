"""Migrations against a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from server import migrations
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.redis import EmbeddedRedis
from server.migrations import Migration, MigrationError, migrate

CREATE = Migration("ledger", 1, "things", "CREATE TABLE things (n integer); SELECT 1;")
BROKEN = Migration("ledger", 2, "broken", "CREATE TABLE more (n integer); SELECT nonsense;")


@pytest.fixture
async def connection(
    stores: tuple[EmbeddedPostgres, EmbeddedRedis], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[asyncpg.Connection]:
    """A connection to an empty database, with CREATE as the only migration."""
    admin = await asyncpg.connect(stores[0].admin_url)
    await admin.execute("CREATE DATABASE empty OWNER sociallive")
    connection = await asyncpg.connect(_empty(stores[0].url))
    monkeypatch.setattr(migrations, "migrations", lambda: [CREATE])
    yield connection
    await connection.close()
    await admin.execute("DROP DATABASE empty WITH (FORCE)")
    await admin.close()


async def test_each_is_applied_once(connection: asyncpg.Connection) -> None:
    assert await migrate(connection) == [CREATE]
    assert await migrate(connection) == []
    assert await connection.fetchval("SELECT count(*) FROM things") == 0


async def test_a_failing_one_is_rolled_back_whole(
    connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "migrations", lambda: [CREATE, BROKEN])
    with pytest.raises(MigrationError, match="ledger/0002_broken failed"):
        await migrate(connection)
    assert await connection.fetchval("SELECT to_regclass('more')") is None
    assert await connection.fetchval("SELECT count(*) FROM schema_migrations") == 1


async def test_a_changed_one_is_refused(
    connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate(connection)
    monkeypatch.setattr(migrations, "migrations", lambda: [replace(CREATE, sql="SELECT 2")])
    with pytest.raises(MigrationError, match="was changed after it was applied"):
        await migrate(connection)


async def test_a_database_of_a_newer_version_is_refused(
    connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate(connection)
    monkeypatch.setattr(migrations, "migrations", list)
    with pytest.raises(MigrationError, match="newer version"):
        await migrate(connection)


async def test_many_processes_may_start_at_once(
    connection: asyncpg.Connection, stores: tuple[EmbeddedPostgres, EmbeddedRedis]
) -> None:
    others = [await asyncpg.connect(_empty(stores[0].url)) for _ in range(4)]
    applied = await asyncio.gather(*(migrate(each) for each in others))
    assert sum(len(each) for each in applied) == 1
    for each in others:
        await each.close()


def test_the_products_own_files_are_found_in_order() -> None:
    found = migrations.migrations()
    keys = [(migrations.DOMAINS.index(each.domain), each.version) for each in found]
    assert keys == sorted(set(keys))
    assert {each.domain for each in found} == set(migrations.DOMAINS)


async def test_a_lock_that_others_keep_is_given_up(
    connection: asyncpg.Connection,
    stores: tuple[EmbeddedPostgres, EmbeddedRedis],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT_S", 0.05)
    monkeypatch.setattr(migrations, "LOCK_PAUSE_S", 0.0)
    await migrate(connection)
    change = Migration("ledger", 2, "change", "ALTER TABLE things ADD COLUMN m integer")
    monkeypatch.setattr(migrations, "migrations", lambda: [CREATE, change])
    user = await asyncpg.connect(_empty(stores[0].url))
    async with user.transaction():
        await user.fetch("SELECT * FROM things")
        with pytest.raises(MigrationError, match="is in use"):
            await migrate(connection)
    await user.close()
    assert await migrate(connection) == [change]


def _empty(url: str) -> str:
    return f"{url.rpartition('/')[0]}/empty"
