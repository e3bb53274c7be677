"""PostgreSQL and Redis as the product uses them: external ones by URL, else embedded ones."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg
from redis.asyncio import BlockingConnectionPool, Redis

from config.stores import StoreSettings
from ledger.store.upkeep import MOST_MOVED_AT_START, make_months
from server.database import create_pool
from server.embedded.account import store_account
from server.embedded.archive import archiving
from server.embedded.folder import DataFolder, default_data_dir
from server.embedded.postgres import READER, EmbeddedPostgres
from server.embedded.redis import EmbeddedRedis
from server.embedded.timelines import note_run
from server.grants import apply_grants
from server.migrations import Migration, migrate
from server.replica import Reads

log = logging.getLogger(__name__)

REDIS_CONNECTIONS = 100
REDIS_PATIENCE_S = 5.0
"""How long who finds all of them in use waits for one."""


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """The database as its owner, who migrates it, and as the role that the server works as."""

    owner: str
    app: str


@dataclass(frozen=True, slots=True)
class Stores:
    """Open connections to both stores, migrated, and the folder for keys."""

    pool: asyncpg.Pool
    reads: Reads
    """For what may be a little behind: statements, and lists of admins."""

    reader: str | None
    """The role that a user's own reads take; None where the database has no such role."""

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
        urls = await database_urls(settings, folder, stack)
        redis_url = await redis_address(settings, folder, stack)
        connection = await asyncpg.connect(urls.owner, timeout=10)
        try:
            migrated = await migrate(connection)
            has_roles = await apply_grants(connection)
            await _make_months(connection)
        finally:
            await connection.close()
        pool = await create_pool(urls.app, size=settings.pool_size)
        stack.callback(pool.terminate)
        replica = await _replica(settings, stack)
        redis = Redis.from_pool(
            BlockingConnectionPool.from_url(
                redis_url,
                max_connections=REDIS_CONNECTIONS,
                timeout=REDIS_PATIENCE_S,
                socket_timeout=10,
                socket_connect_timeout=5,
            )
        )
        stack.push_async_callback(redis.aclose)
        await redis.ping()
        reads = Reads(pool, replica, max_lag_s=settings.read_max_lag_s)
        reader = READER if has_roles else None
        yield Stores(pool, reads, reader, redis, folder, tuple(migrated))


async def _make_months(connection: asyncpg.Connection) -> None:
    """Before anything posts: what finds no month goes where it has to be moved from.

    A month that can't be made now keeps nobody from starting; upkeep tries again.
    """
    try:
        await make_months(connection.fetch, most_moved=MOST_MOVED_AT_START)
    except* asyncpg.PostgresError:
        log.warning("some months are not there yet", exc_info=True)


async def database_urls(
    settings: StoreSettings, folder: DataFolder, stack: AsyncExitStack
) -> DatabaseUrls:
    """Where the database is; an embedded one is started, and ended by `stack`."""
    if settings.database_url is not None:
        app = settings.database_url.get_secret_value()
        owner = settings.owner_url
        return DatabaseUrls(app if owner is None else owner.get_secret_value(), app)
    account = store_account()
    postgres = EmbeddedPostgres(folder, account, archiving(settings, account))
    stack.push_async_callback(postgres.stop)
    note_run(settings, postgres.cluster, datetime.now(UTC))
    await postgres.start()
    return DatabaseUrls(postgres.url, postgres.app_url)


async def _replica(settings: StoreSettings, stack: AsyncExitStack) -> asyncpg.Pool | None:
    if settings.read_database_url is None:
        return None
    url = settings.read_database_url.get_secret_value()
    pool = await create_pool(url, size=settings.pool_size, least=0)
    stack.callback(pool.terminate)
    return pool


async def redis_address(settings: StoreSettings, folder: DataFolder, stack: AsyncExitStack) -> str:
    """Where Redis is; an embedded one is started, and ended by `stack`."""
    if settings.redis_url is not None:
        return settings.redis_url.get_secret_value()
    redis = EmbeddedRedis(folder, store_account())
    stack.push_async_callback(redis.stop)
    await redis.start()
    return redis.url
