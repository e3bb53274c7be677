"""PostgreSQL and Redis as the product uses them: external ones by URL, else embedded ones."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import asyncpg
from redis.asyncio import Redis

from config.stores import StoreSettings
from server.database import create_pool
from server.embedded.account import store_account
from server.embedded.folder import DataFolder, default_data_dir
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.redis import EmbeddedRedis
from server.migrations import Migration, migrate


@dataclass(frozen=True, slots=True)
class Stores:
    """Open connections to both stores, migrated, and the folder for keys."""

    pool: asyncpg.Pool
    redis: Redis
    folder: DataFolder
    """For keys and logs."""

    migrated: tuple[Migration, ...]
    """What was applied to the database at this start."""


@asynccontextmanager
async def open_stores(settings: StoreSettings) -> AsyncIterator[Stores]:
    """Start what is embedded, connect, migrate; undone in reverse order at the end.

    Raises DataFolderBusy, ChildFailed, PostgresMissing, RedisMissing, MigrationError, OSError or
    the drivers' own connection errors, from either store.
    """
    async with AsyncExitStack() as stack:
        folder = DataFolder(settings.data_dir or default_data_dir())
        stack.callback(folder.release)
        if settings.database_url is None or settings.redis_url is None:
            await folder.acquire()  # external stores may be shared, embedded ones may not
        database_url = await _database_url(settings, folder, stack)
        redis_url = await _redis_url(settings, folder, stack)
        connection = await asyncpg.connect(database_url, timeout=10)
        try:
            migrated = await migrate(connection)
        finally:
            await connection.close()
        pool = await create_pool(database_url, size=settings.pool_size)
        stack.callback(pool.terminate)
        redis = Redis.from_url(redis_url, socket_timeout=10, socket_connect_timeout=5)
        stack.push_async_callback(redis.aclose)
        await redis.ping()
        yield Stores(pool, redis, folder, tuple(migrated))


async def _database_url(settings: StoreSettings, folder: DataFolder, stack: AsyncExitStack) -> str:
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    postgres = EmbeddedPostgres(folder, store_account())
    stack.push_async_callback(postgres.stop)
    await postgres.start()
    return postgres.url


async def _redis_url(settings: StoreSettings, folder: DataFolder, stack: AsyncExitStack) -> str:
    if settings.redis_url is not None:
        return settings.redis_url.get_secret_value()
    redis = EmbeddedRedis(folder, store_account())
    stack.push_async_callback(redis.stop)
    await redis.start()
    return redis.url
