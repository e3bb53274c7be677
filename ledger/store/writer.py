"""The connection that posts batches of gifts, with plans that are made once and kept."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from asyncpg.prepared_stmt import PreparedStatement

from config.ledger import LedgerSettings
from config.sql import load_queries
from ledger.errors import LedgerBusy
from ledger.gifts import PreparedGift, SettledGift
from ledger.store.calls import AWAY, WORTH_ANOTHER_TRY
from ledger.store.exhaustion import Exhaustion
from ledger.transfer import TransferResult

SQL = load_queries("ledger", "sql/writer.sql")

GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)
ATTEMPTS = 3
POSTED = TransferResult.POSTED
RESULTS = {result.value: result for result in TransferResult}


class GiftWriter:
    """Posts one batch at a time, in one round trip and one transaction.

    It takes a connection out of the pool at its first batch and keeps it to itself.
    Generic plans are forced, and made while sequential scans are forbidden: those of an empty table
    would otherwise be kept for ever. The shard of the writer's sub-accounts is held by a lock of
    the connection, so two writers never share one.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        settings: LedgerSettings,
        exhaustion: Exhaustion | None = None,
    ) -> None:
        """`exhaustion`: where it is told that the server has run out of something."""
        self._pool = pool
        self._exhaustion = exhaustion or Exhaustion()
        self._settings = settings
        self._connection: PoolConnectionProxy | None = None
        self._statement: PreparedStatement | None = None
        self._shard = 0

    async def post(self, gifts: Sequence[PreparedGift]) -> list[SettledGift]:
        """What became of each gift, in their order; all that were posted are committed.

        A batch whose answer is lost is sent again: what it had posted is then answered as repeated.
        Raises LedgerBusy when the database is away: the gifts may have been posted or not. Other
        errors mean that nothing was.
        """
        columns = tuple(zip(*(gift.row for gift in gifts), strict=True))
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with asyncio.timeout(self._settings.statement_timeout_s):
                    statement = self._statement or await self._open()
                    row = await statement.fetchrow(self._shard, self._settings.currency, *columns)
            except asyncpg.LockNotAvailableError as error:
                if len(gifts) > 1:
                    raise  # whose wallet it is shows when they are sent apart
                raise LedgerBusy from error
            except AWAY as error:
                self._exhaustion.failed(error)
                await self._drop_unless_sound(error)
                if attempt == ATTEMPTS or not isinstance(error, WORTH_ANOTHER_TRY):
                    raise LedgerBusy from error
            except asyncio.CancelledError:
                await self.close()
                raise
            else:
                self._exhaustion.posted()
                return _settled(gifts, row)
        raise AssertionError

    async def close(self) -> None:
        """Give the connection up; a later batch takes another."""
        connection, self._connection, self._statement = self._connection, None, None
        if connection is not None:
            with suppress(asyncpg.InterfaceError):  # it died, and the pool has taken it back
                connection.terminate()
            await self._pool.release(connection)

    async def _open(self) -> PreparedStatement:
        settings = self._settings
        connection = await self._pool.acquire(timeout=settings.acquire_timeout_s)
        self._connection = connection
        try:
            await connection.execute(SQL["pin_plans"])
            await connection.execute(f"SET lock_timeout = {round(settings.lock_timeout_s * 1000)}")
            shard = await connection.fetchval(SQL["take_shard"])
            if shard is None:
                raise LedgerBusy
            self._shard = shard
            self._statement = await connection.prepare(SQL["post_gifts"])
        except BaseException:
            await self.close()
            raise
        return self._statement

    async def _drop_unless_sound(self, error: Exception) -> None:
        """Keep the connection where the server itself has answered, and goes on serving it."""
        if not isinstance(error, asyncpg.PostgresError) or isinstance(error, GONE):
            await self.close()


def _settled(gifts: Sequence[PreparedGift], row: Any) -> list[SettledGift]:
    posted_at, results, balances, answers = row
    if balances is not None and len(balances) == len(gifts):  # all were posted
        return [SettledGift(POSTED, balance, posted_at, None) for balance in balances]
    left = iter(balances or ())
    settled = []
    for place, result in enumerate(results):
        code, _, available = result.partition(":")
        found = RESULTS[code]
        settled.append(
            SettledGift(
                found,
                next(left) if found is POSTED else int(available or 0),
                posted_at,
                answers[place] if found is TransferResult.REPEATED else None,
            )
        )
    return settled
