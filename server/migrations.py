"""Migrations: plain SQL files, forward only, each applied once in its own transaction.

Every domain keeps its own `migrations/NNNN_name.sql`, and a PostgreSQL schema of its own, so that
the order between domains does not matter. A file that was applied must never change: its checksum
is kept, and a difference is refused.

MigrationError
    A file was changed after it was applied, is missing, or fails.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import resources

import asyncpg
from asyncpg.pool import PoolConnectionProxy

DOMAINS = ("identity", "media", "ledger", "compliance")
LOCK_KEY = 0x50C1A17E  # any constant: it only has to be the same in every process
LOCK_TIMEOUT_S = 3
LOCK_PAUSE_S = 1.0
ATTEMPTS = 10
STATEMENT_TIMEOUT_S = 3_600
_FILE = re.compile(r"(\d{4})_(\w+)\.sql")


class MigrationError(Exception):
    """The database can't be brought to this version; the message says which file and why."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One SQL file of a domain."""

    domain: str
    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def key(self) -> str:
        """Domain/number, as `applied_migrations` gives it."""
        return f"{self.domain}/{self.version:04}"

    def __str__(self) -> str:
        return f"{self.key}_{self.name}"


def migrations() -> list[Migration]:
    """Every migration of every domain, in the order in which they are applied."""
    return [migration for domain in DOMAINS for migration in _of_domain(domain)]


async def migrate(connection: asyncpg.Connection) -> list[Migration]:
    """Bring the database to this version, and return what was applied.

    A lock lets one process at a time through, so that many may start at once.
    Raises MigrationError.
    """
    async with migration_lock(connection):
        await connection.execute(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                domain text NOT NULL, version integer NOT NULL, name text NOT NULL,
                checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now(),
                PRIMARY KEY (domain, version))
            """
        )
        rows = await connection.fetch("SELECT domain, version, checksum FROM schema_migrations")
        applied = {(row["domain"], row["version"]): row["checksum"] for row in rows}
        known = migrations()
        _check(applied, known)
        pending = [each for each in known if (each.domain, each.version) not in applied]
        for migration in pending:
            await _apply(connection, migration)
        return pending


@asynccontextmanager
async def migration_lock(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """One process at a time changes schemas and grants; others wait."""
    await connection.execute("SELECT pg_advisory_lock($1)", LOCK_KEY)
    try:
        yield
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", LOCK_KEY)


async def applied_migrations(
    connection: asyncpg.Connection | PoolConnectionProxy,
) -> list[str]:
    """What was applied to the database: domain/number, in order."""
    rows = await connection.fetch("SELECT domain, version FROM schema_migrations ORDER BY 1, 2")
    return [f"{row['domain']}/{row['version']:04}" for row in rows]


async def _apply(connection: asyncpg.Connection, migration: Migration) -> None:
    """Apply it, and give up a lock that others keep for long: behind it everybody would wait."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await _apply_once(connection, migration)
        except asyncpg.LockNotAvailableError as error:
            if attempt == ATTEMPTS:
                raise MigrationError(
                    f"{migration} was rolled back: a table that it changes is in use. Start again "
                    f"when long transactions have ended. ({error})"
                ) from error
        await asyncio.sleep(LOCK_PAUSE_S)


async def _apply_once(connection: asyncpg.Connection, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(
                f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s';"
                f" SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT_S}s'"
            )
            await connection.execute(migration.sql)
            await connection.execute(
                "INSERT INTO schema_migrations (domain, version, name, checksum)"
                " VALUES ($1, $2, $3, $4)",
                migration.domain,
                migration.version,
                migration.name,
                migration.checksum,
            )
    except asyncpg.LockNotAvailableError:
        raise
    except asyncpg.PostgresError as error:
        raise MigrationError(f"{migration} failed and was rolled back: {error}") from error


def _check(applied: dict[tuple[str, int], str], known: list[Migration]) -> None:
    by_key = {(each.domain, each.version): each for each in known}
    for key, checksum in applied.items():
        if key not in by_key:
            raise MigrationError(
                f"The database has migration {key[0]}/{key[1]:04}, which this version does not "
                "know: it was used by a newer version. Start that one."
            )
        if by_key[key].checksum != checksum:
            raise MigrationError(
                f"{by_key[key]} was changed after it was applied. Undo the change and add a new "
                "migration in its place."
            )


def _of_domain(domain: str) -> Iterator[Migration]:
    folder = resources.files(domain).joinpath("migrations")
    files = sorted(folder.iterdir(), key=lambda each: each.name) if folder.is_dir() else []
    for file in files:
        if match := _FILE.fullmatch(file.name):
            yield Migration(domain, int(match[1]), match[2], file.read_text("utf-8"))
