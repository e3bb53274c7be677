"""Identity over real stores, with cheap password hashes and a clock that tests turn."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from config.identity import IdentitySettings
from identity.keys import KeyRing
from identity.service import IdentityService
from identity.store import UserStore
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.redis import EmbeddedRedis
from server.migrations import migrate
from server.redis_sessions import RedisSessions
from server.redis_throttle import RedisLoginThrottle


@dataclass
class Clock:
    """Stands still until it is told otherwise."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC))


@pytest.fixture
def settings() -> IdentitySettings:
    return IdentitySettings(argon2_memory_kib=7_168, argon2_iterations=1, argon2_lanes=1)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    return KeyRing.open(tmp_path_factory.mktemp("keys"), now=datetime.now(UTC))


@pytest.fixture(scope="session")
def foreign_keys(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    """Those of another server."""
    return KeyRing.open(tmp_path_factory.mktemp("foreign-keys"), now=datetime.now(UTC))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def identity_database(
    stores: tuple[EmbeddedPostgres, EmbeddedRedis],
) -> AsyncIterator[str]:
    """One database for all tests of identity: making one takes longer than most of them."""
    postgres, _ = stores
    admin = await asyncpg.connect(postgres.admin_url)
    await admin.execute("CREATE DATABASE test_identity OWNER sociallive")
    url = f"{postgres.url.rpartition('/')[0]}/test_identity"
    connection = await asyncpg.connect(url)
    await migrate(connection)
    await connection.close()
    yield url
    await admin.execute("DROP DATABASE test_identity WITH (FORCE)")
    await admin.close()


@pytest.fixture
async def database_url(identity_database: str) -> str:
    """Without users."""
    connection = await asyncpg.connect(identity_database)
    await connection.execute("TRUNCATE identity.users")
    await connection.close()
    return identity_database


@pytest.fixture
def users(pool: asyncpg.Pool) -> UserStore:
    return UserStore(pool)


@pytest.fixture
async def make_service(
    users: UserStore, redis: Redis, keys: KeyRing, clock: Clock
) -> AsyncIterator[Callable[[IdentitySettings], IdentityService]]:
    """Services over the same stores, as several nodes or releases have them."""
    made: list[IdentityService] = []

    def make(settings: IdentitySettings) -> IdentityService:
        service = IdentityService(
            settings,
            users=users,
            sessions=RedisSessions(redis),
            throttle=RedisLoginThrottle(redis),
            keys=keys,
            clock=clock,
        )
        made.append(service)
        return service

    yield make
    for service in made:
        service.close()


@pytest.fixture
def service(
    make_service: Callable[[IdentitySettings], IdentityService], settings: IdentitySettings
) -> IdentityService:
    return make_service(settings)


@pytest.fixture
def key_folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"
