"""Transactions of the event store and of what is built on it; the driver is known here alone.

What fails because the database is away, busy or too slow is LedgerBusy; then it is not known if a
transaction was committed, and everything that is done here may be done again.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, Protocol

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from ledger.errors import LedgerBusy

Row = asyncpg.Record

AWAY = (
    OSError,  # TimeoutError among them
    asyncpg.InterfaceError,  # the connection was closed under us
    asyncpg.InternalClientError,  # it was cut in the midst of a statement
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, starting up, statement cancelled
    asyncpg.InsufficientResourcesError,  # connections, memory, disk
    asyncpg.PostgresSystemError,  # its own input and output
    asyncpg.TransactionRollbackError,  # deadlock, serialisation
    asyncpg.ReadOnlySQLTransactionError,  # a standby that is not promoted yet
)


class Connections(Protocol):
    """A pool, or what stands for one."""

    def acquire(self, *, timeout: float) -> AbstractAsyncContextManager[PoolConnectionProxy]:
        """Borrow a connection."""


class Transaction:
    """Statements of one transaction."""

    def __init__(self, connection: PoolConnectionProxy, timeout_s: float) -> None:
        self._connection = connection
        self._timeout_s = timeout_s

    async def fetch(self, query: str, *args: object) -> list[Row]:
        """All rows."""
        return await self._connection.fetch(query, *args, timeout=self._timeout_s)

    async def first(self, query: str, *args: object) -> Row | None:
        """The first row, None where there is none."""
        return await self._connection.fetchrow(query, *args, timeout=self._timeout_s)

    async def execute(self, query: str, *args: object) -> int:
        """Run a statement; how many rows it touched."""
        tag: str = await self._connection.execute(query, *args, timeout=self._timeout_s)
        count = tag.rpartition(" ")[2]
        return int(count) if count.isdecimal() else 0


class Database:
    """Opens transactions on the pool's connections."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        *,
        acquire_timeout_s: float,
        statement_timeout_s: float,
        reads: Connections | None = None,
    ) -> None:
        """`reads`: where what may be a little behind is read; left out, from the pool."""
        self._pool = pool
        self._reads: Connections = reads or pool
        self._acquire_timeout_s = acquire_timeout_s
        self._statement_timeout_s = statement_timeout_s

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """All or nothing of what is done inside. Raises LedgerBusy."""
        with _translated():
            async with (
                self._pool.acquire(timeout=self._acquire_timeout_s) as connection,
                connection.transaction(isolation="read_committed"),
            ):
                yield Transaction(connection, self._statement_timeout_s)

    async def fetch(self, query: str, *args: object) -> list[Row]:
        """One statement by itself. Raises LedgerBusy."""
        async with self.transaction() as transaction:
            return await transaction.fetch(query, *args)

    async def first(self, query: str, *args: object) -> Row | None:
        """The first row of one statement by itself. Raises LedgerBusy."""
        async with self.transaction() as transaction:
            return await transaction.first(query, *args)

    async def fetch_behind(self, query: str, *args: object) -> list[Row]:
        """A read that may be a little behind, twice where it fails: a replica that is away is not
        asked again. Raises LedgerBusy."""
        try:
            return await self._fetch_behind(query, *args)
        except LedgerBusy:
            return await self._fetch_behind(query, *args)

    async def _fetch_behind(self, query: str, *args: object) -> list[Row]:
        with _translated():
            async with self._reads.acquire(timeout=self._acquire_timeout_s) as connection:
                return await connection.fetch(query, *args, timeout=self._statement_timeout_s)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except AWAY as error:
        raise LedgerBusy from error


def values_of(row: Row) -> dict[str, Any]:
    """The row's columns by name."""
    return dict(row.items())
