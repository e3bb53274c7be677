"""Single statements on the pool's connections, and which failures of the database pass.

Every call is one statement. When the connection is lost in the middle of one, it is sent once more:
that is safe for postings too, which are posted once however often they arrive. What then still
fails because the database is away or too slow is LedgerBusy.
"""

from typing import Any

import asyncpg
import orjson

from config.ledger import LedgerSettings
from ledger.errors import LedgerBusy
from ledger.transfer import TransferResult

WORTH_ANOTHER_TRY = (
    ConnectionError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,  # the connection was closed under us
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


class Calls:
    """Statements through the pool; `postgres` values cross as server/database.py says."""

    def __init__(self, pool: asyncpg.Pool, settings: LedgerSettings) -> None:
        self.pool = pool
        self.settings = settings

    async def fetch(self, query: str, *args: object) -> list[asyncpg.Record]:
        """The rows that one statement gives. Raises LedgerBusy."""
        for is_last in (False, True):
            try:
                async with self.pool.acquire(timeout=self.settings.acquire_timeout_s) as connection:
                    return await connection.fetch(
                        query, *args, timeout=self.settings.statement_timeout_s
                    )
            except AWAY as error:
                if is_last or not isinstance(error, WORTH_ANOTHER_TRY):
                    raise LedgerBusy from error
        raise AssertionError

    async def fetchrow(self, query: str, *args: object) -> Any:
        """The first row. Raises LedgerBusy."""
        return (await self.fetch(query, *args))[0]

    async def ask(self, query: str, *args: object) -> tuple[TransferResult, dict[str, Any]]:
        """What a function of the ledger answers with `result` and `answer`. Raises LedgerBusy."""
        row = await self.fetchrow(query, *args)
        return TransferResult(row["result"]), orjson.loads(row["answer"] or "{}")
