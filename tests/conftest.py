"""Fixtures: a real PostgreSQL and a real Redis for the whole run, fresh contents for each test."""

import itertools
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from server.database import create_pool
from server.embedded.account import store_account
from server.embedded.folder import DataFolder
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.redis import EmbeddedRedis
from server.migrations import migrate

TEMPLATE = "template_sociallive"
MEMORY = Path("/dev/shm")
ROOM_BYTES = 3 * 2**30
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "min_wal_size": "128MB",
    "max_wal_size": "512MB",
}
_numbers = itertools.count()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stores(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[EmbeddedPostgres, EmbeddedRedis]]:
    """Both stores, and a template database with every migration applied."""
    with _stores_folder(tmp_path_factory) as path:
        folder = DataFolder(path)
        await folder.acquire()
        account = store_account()
        postgres = EmbeddedPostgres(folder, account, SETTINGS)
        redis = EmbeddedRedis(folder, account)
        await postgres.start()
        await redis.start()
        admin = await asyncpg.connect(postgres.admin_url)
        await admin.execute(f"CREATE DATABASE {TEMPLATE} OWNER sociallive")
        await admin.close()
        connection = await asyncpg.connect(_database(postgres.url, TEMPLATE))
        await migrate(connection)
        await connection.close()
        yield postgres, redis
        await redis.stop()
        await postgres.stop()
        folder.release()


@contextmanager
def _stores_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """In memory where there is room: a database is a thousand files, and most tests have their own.

    On a disk, making them takes longer than the tests themselves.
    """
    if os.access(MEMORY, os.W_OK | os.X_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES:
        with TemporaryDirectory(prefix="sociallive-tests-", dir=MEMORY) as name:
            path = Path(name)
            path.chmod(0o711)
            yield path
    else:
        path = tmp_path_factory.mktemp("stores")
        _open_to_stores(path)
        yield path


@pytest.fixture
async def database_url(stores: tuple[EmbeddedPostgres, EmbeddedRedis]) -> AsyncIterator[str]:
    """A database of the test's own with every migration applied."""
    postgres, _ = stores
    name = f"test_{next(_numbers)}"
    admin = await asyncpg.connect(postgres.admin_url)
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER sociallive")
    yield _database(postgres.url, name)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    """Connections to the test's own database, as the product makes them."""
    pool = await create_pool(database_url)
    yield pool
    pool.terminate()


@pytest.fixture
async def redis_url(stores: tuple[EmbeddedPostgres, EmbeddedRedis]) -> str:
    """An emptied Redis."""
    _, redis = stores
    async with Redis.from_url(redis.url) as client:
        await client.flushall()
    return redis.url


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of the emptied Redis."""
    async with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """An empty folder that the stores' account can enter."""
    _open_to_stores(tmp_path)
    return tmp_path


def _database(url: str, name: str) -> str:
    return f"{url.rpartition('/')[0]}/{name}"


def _open_to_stores(path: Path) -> None:
    """Let the stores' unprivileged account into pytest's private folders."""
    for folder in (path, *path.parents[:3]):
        mode = folder.stat().st_mode
        if mode & 0o011 == 0o011:
            return
        folder.chmod(mode | 0o011)
