"""The ledger in PostgreSQL: the only place that knows the driver.

Every call is one statement. When the connection is lost in the middle of one, it is sent once more:
that is safe for postings too, which are posted once however often they arrive. What then still
fails because the database is away or too slow is LedgerBusy.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from config.ledger import LedgerSettings
from config.sql import load_queries
from ledger.accounts import AccountCode, TrialBalance, trial_balance
from ledger.errors import LedgerBusy
from ledger.events import LedgerEvent, read_data
from ledger.gifts import GiftRequest
from ledger.grants import GrantRequest
from ledger.outbox import LogPage
from ledger.statements import Page, Statement, StatementLine, Wallet
from ledger.transfer import Quote, TransferResult

SQL = {
    name: query
    for file in ("posting", "reading", "outbox")
    for name, query in load_queries("ledger", f"sql/{file}.sql").items()
}

GRANT_DESCRIPTION = "Coins granted"

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
)


class LedgerStore:
    """The ledger's tables and functions, through the pool's connections."""

    def __init__(self, pool: asyncpg.Pool, settings: LedgerSettings) -> None:
        self._pool = pool
        self._settings = settings

    async def post_gift(
        self, request: GiftRequest, quote: Quote
    ) -> tuple[TransferResult, dict[str, Any]]:
        """Post an admitted gift: the receipt's fields, or the balance that was too small."""
        rows = await self._fetch(
            SQL["post_gift"],
            request.payer_id,
            request.request_id,
            request.request_hash(),
            request.payer_name,
            request.payee_id,
            request.stream_id,
            request.gift_id,
            request.count,
            quote.total_minor,
            quote.split.fee_minor,
            self._settings.currency,
            quote.description,
        )
        return TransferResult(rows[0]["result"]), rows[0]["answer"]

    async def post_grant(self, request: GrantRequest) -> tuple[TransferResult, dict[str, Any]]:
        """Post an admitted grant: the receipt's fields."""
        rows = await self._fetch(
            SQL["post_grant"],
            request.granted_by,
            request.request_id,
            request.request_hash(),
            request.user_id,
            request.amount_minor,
            self._settings.currency,
            GRANT_DESCRIPTION,
            request.reason,
        )
        return TransferResult(rows[0]["result"]), rows[0]["answer"]

    async def wallet(self, user_id: UUID) -> Wallet:
        """Zeros for a user that has no accounts yet."""
        rows = await self._fetch(SQL["wallet"], user_id, self._settings.currency)
        return Wallet(**rows[0], currency=self._settings.currency)

    async def statement(self, user_id: UUID, code: AccountCode, page: Page) -> Statement:
        """One page of the user's account."""
        currency = self._settings.currency
        rows = await self._fetch(
            SQL["statement"], user_id, code, currency, page.before, page.limit + 1
        )
        if not rows:
            return Statement(None, currency, 0, (), None)
        lines = tuple(
            StatementLine(**{name: row[name] for name in StatementLine.__slots__})
            for row in rows[: page.limit]
            if row["entry_id"] is not None
        )
        return Statement(
            account_id=rows[0]["account_id"],
            currency=currency,
            balance_minor=rows[0]["account_balance_minor"],
            lines=lines,
            next_cursor=str(lines[-1].entry_id) if len(rows) > page.limit else None,
        )

    async def trial_balance(self) -> TrialBalance:
        """The whole chart, in the ledger's currency."""
        rows = await self._fetch(SQL["trial_balance"], self._settings.currency)
        return trial_balance(
            self._settings.currency,
            {
                row["code"]: (row["debit_minor"], row["credit_minor"], row["accounts"])
                for row in rows
            },
        )

    @asynccontextmanager
    async def turn(self) -> AsyncIterator["_Turn"]:
        """The event log, for one publisher at a time; the errors are the driver's."""
        settings = self._settings
        idle_ms = 1000 * (settings.outbox.publish_timeout_s + settings.statement_timeout_s)
        async with (
            self._pool.acquire(timeout=settings.acquire_timeout_s) as connection,
            connection.transaction(isolation="read_committed"),
        ):
            turn = _Turn(connection, settings.statement_timeout_s)
            await turn.take(round(idle_ms))
            yield turn

    async def _fetch(self, query: str, *args: object) -> list[asyncpg.Record]:
        for is_last in (False, True):
            try:
                async with self._pool.acquire(
                    timeout=self._settings.acquire_timeout_s
                ) as connection:
                    return await connection.fetch(
                        query, *args, timeout=self._settings.statement_timeout_s
                    )
            except AWAY as error:
                if is_last or not isinstance(error, WORTH_ANOTHER_TRY):
                    raise LedgerBusy from error
        raise AssertionError


class _Turn:
    """The event log on a connection whose transaction holds the publishers' lock."""

    def __init__(self, connection: PoolConnectionProxy, timeout_s: float) -> None:
        self._connection = connection
        self._timeout_s = timeout_s

    async def take(self, idle_ms: int) -> None:
        await self._fetch(SQL["take_turn"], str(idle_ms))

    async def read(self, limit: int) -> LogPage:
        # Two statements in this order: what ended before the first one is visible to the second.
        position = (await self._fetch(SQL["position"]))[0]
        rows = await self._fetch(SQL["events"], position["cursor"], limit)
        return LogPage(**position, events=tuple(map(_event, rows)))

    async def next_transaction(self) -> int:
        rows = await self._fetch(SQL["next_transaction"])
        return int(rows[0]["transaction"])

    async def advance(self, sequence: int) -> None:
        await self._fetch(SQL["advance"], sequence)

    async def _fetch(self, query: str, *args: object) -> list[asyncpg.Record]:
        return await self._connection.fetch(query, *args, timeout=self._timeout_s)


def _event(row: asyncpg.Record) -> LedgerEvent:
    return LedgerEvent(
        event_id=row["event_id"],
        sequence=row["sequence"],
        type=row["type"],
        version=row["version"],
        occurred_at=row["occurred_at"],
        data=read_data(row["type"], row["version"], row["data"]),
    )
