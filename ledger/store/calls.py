"""Single statements on the pool's connections, and which failures of the database pass.

Every call is one statement. When the connection is lost in the middle of one, it is sent once more:
that is safe for postings too, which are posted once however often they arrive. What then still
fails because the database is away or too slow is LedgerBusy.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import orjson
from asyncpg.pool import PoolConnectionProxy

from config.ledger import LedgerSettings
from ledger.errors import LedgerBusy
from ledger.store.exhaustion import Exhaustion
from ledger.transfer import TransferResult

Connection = PoolConnectionProxy

WORTH_ANOTHER_TRY = (
    ConnectionError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,  # the connection was closed under us
    asyncpg.InternalClientError,  # it was left in the middle of something when the line went dead
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.UniqueViolationError,  # an equal request id won the race: its answer is there now
)
AWAY = (
    *WORTH_ANOTHER_TRY,
    OSError,  # TimeoutError among them
    asyncpg.OperatorInterventionError,  # shutting down, starting up, statement cancelled
    asyncpg.InsufficientResourcesError,  # connections, memory, disk
    asyncpg.PostgresSystemError,  # its own input and output
    asyncpg.ReadOnlySQLTransactionError,  # a standby that is not promoted yet
)


def found_no_month(error: asyncpg.CheckViolationError) -> bool:
    """Whether a row was on its way to the default partition when its month was made.

    The next try finds the month. The constraint of a partition has no name.
    """
    return error.constraint_name is None


class Connections(Protocol):
    """A pool, or what stands for one."""

    def acquire(self, *, timeout: float) -> AbstractAsyncContextManager[Connection]:
        """Borrow a connection."""


class Calls:
    """Statements through the pool; `postgres` values cross as server/database.py says."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        settings: LedgerSettings,
        *,
        reads: Connections | None = None,
        reader: str | None = None,
    ) -> None:
        """`reads`: where what may be a little behind is read; left out, from the pool.

        `reader`: the role that reads of one user's rows take; left out, they take none.
        """
        self.pool = pool
        self.settings = settings
        self.exhaustion = Exhaustion()
        self._reads = reads or pool
        self._reader = reader

    async def fetch(self, query: str, *args: object) -> list[asyncpg.Record]:
        """The rows that one statement gives. Raises LedgerBusy."""
        return await self._tried(self.pool, lambda connection: self._rows(connection, query, *args))

    async def fetch_behind(self, query: str, *args: object) -> list[asyncpg.Record]:
        """The same of a read that may be a little behind. Raises LedgerBusy."""
        return await self._tried(
            self._reads, lambda connection: self._rows(connection, query, *args)
        )

    async def fetch_of(
        self, user_id: UUID, query: str, *args: object, may_be_behind: bool = False
    ) -> list[asyncpg.Record]:
        """Rows of one user: the database itself shows no others. Raises LedgerBusy."""

        async def rows(connection: Connection) -> list[asyncpg.Record]:
            if self._reader is None:
                return await self._rows(connection, query, *args)
            # Role and user end with the transaction: the next borrower of the connection has none.
            async with connection.transaction(readonly=True):
                await connection.execute(
                    f"SET LOCAL ROLE {self._reader}; SET LOCAL app.user_id = '{user_id}'",
                    timeout=self.settings.statement_timeout_s,
                )
                return await self._rows(connection, query, *args)

        return await self._tried(self._reads if may_be_behind else self.pool, rows)

    async def _rows(
        self, connection: Connection, query: str, *args: object
    ) -> list[asyncpg.Record]:
        return await connection.fetch(query, *args, timeout=self.settings.statement_timeout_s)

    async def _tried(
        self,
        connections: Connections,
        command: Callable[[Connection], Awaitable[list[asyncpg.Record]]],
    ) -> list[asyncpg.Record]:
        for is_last in (False, True):
            try:
                async with connections.acquire(
                    timeout=self.settings.acquire_timeout_s
                ) as connection:
                    return await command(connection)
            except asyncpg.CheckViolationError as error:
                if is_last or not found_no_month(error):
                    raise
            except AWAY as error:
                self.exhaustion.failed(error)
                if is_last or not isinstance(error, WORTH_ANOTHER_TRY):
                    raise LedgerBusy from error
        raise AssertionError

    async def fetchrow(self, query: str, *args: object) -> Any:
        """The first row. Raises LedgerBusy."""
        return (await self.fetch(query, *args))[0]

    async def ask(self, query: str, *args: object) -> tuple[TransferResult, dict[str, Any]]:
        """What a function of the ledger answers with `result` and `answer`. Raises LedgerBusy."""
        row = await self.fetchrow(query, *args)
        if row["result"] == TransferResult.POSTED:
            self.exhaustion.posted()
        return TransferResult(row["result"]), orjson.loads(row["answer"] or "{}")
