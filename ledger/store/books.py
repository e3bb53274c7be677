"""Requests, balances and statements: what is asked of the books through the pool."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from config.ledger import LedgerSettings
from config.sql import load_queries
from ledger.accounts import AccountCode, TrialBalance, trial_balance
from ledger.outbox import LogShift
from ledger.recent import RecentBatches
from ledger.statements import Page, Place, Statement, StatementLine, Wallet
from ledger.store.calls import Calls, Connections
from ledger.store.log import shift
from ledger.store.movements import MovementBooks
from ledger.store.upkeep import UpkeepBooks
from ledger.store.writer import GiftWriter
from ledger.transfer import TransferResult

SQL = {
    name: query
    for file in ("posting", "reading")
    for name, query in load_queries("ledger", f"sql/{file}.sql").items()
}

Answered = tuple[TransferResult, dict[str, Any]]
"""What became of a request, and its answer, or the details of its refusal."""


class LedgerStore:
    """The ledger's tables and functions; what has a file of its own is an attribute."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        settings: LedgerSettings,
        *,
        reads: Connections | None = None,
        reader: str | None = None,
    ) -> None:
        """`reads` and `reader` are what `Calls` says of them."""
        self.calls = Calls(pool, settings, reads=reads, reader=reader)
        self.movements = MovementBooks(self.calls)
        self.upkeep = UpkeepBooks(self.calls)
        self._recent = RecentBatches()
        self.writers = tuple(
            GiftWriter(pool, settings, self.calls.exhaustion, self._recent)
            for _ in range(settings.gift_writers)
        )
        self._settings = settings

    async def post(
        self, caller_id: UUID, request_id: UUID, request_hash: bytes, postings: list[dict[str, Any]]
    ) -> Answered:
        """Post linked postings, all or none, as `ledger.postings.to_document` gives them."""
        return await self.calls.ask(SQL["post"], caller_id, request_id, request_hash, postings)

    async def first_answer(
        self, caller_id: UUID, request_id: UUID, request_hash: bytes
    ) -> Answered | None:
        """What was answered to the request before; None where it was not carried out."""
        rows = await self.calls.fetch(SQL["first_answer"], caller_id, request_id, request_hash)
        if not rows:
            return None
        return TransferResult(rows[0]["result"]), orjson.loads(rows[0]["answer"] or "{}")

    async def archive_answers(
        self, before: datetime, *, every: timedelta, blocks: int
    ) -> tuple[int, bool]:
        """Go on with a round through all requests, of which one begins `every` so long: empty the
        answers of those from before `before` in the next so many blocks.

        Says of how many, and whether the round is over, or left to somebody else.
        """
        row = await self.calls.fetchrow(SQL["archive_answers"], before, every, blocks)
        return row["archived"], row["is_over"]

    async def wallet(self, user_id: UUID) -> Wallet:
        """Zeros for a user that has no accounts yet."""
        rows = await self.calls.fetch_of(user_id, SQL["wallet"], user_id, self._settings.currency)
        return Wallet(**rows[0], currency=self._settings.currency)

    async def statement(self, user_id: UUID, code: AccountCode, page: Page) -> Statement:
        """One page of the user's account."""
        currency, period = self._settings.currency, page.period
        rows = await self.calls.fetch_of(
            user_id,
            *(SQL["statement"], user_id, code, currency, period.first, period.end),
            *(page.before.posted_at, page.before.entry_id, page.limit + 1),
            may_be_behind=True,
        )
        if not rows:
            return Statement(None, currency, 0, 0, 0, (), None)
        lines = tuple(
            StatementLine(**{name: row[name] for name in StatementLine.__slots__})
            for row in rows[: page.limit]
            if row["entry_id"] is not None
        )
        more = len(rows) > page.limit
        return Statement(
            account_id=rows[0]["account_id"],
            currency=currency,
            balance_minor=rows[0]["account_balance_minor"],
            opening_balance_minor=rows[0]["opening_minor"],
            closing_balance_minor=rows[0]["closing_minor"],
            lines=lines,
            next_cursor=Place(lines[-1].created_at, lines[-1].entry_id).cursor() if more else None,
        )

    async def balance_at(self, owner_id: UUID | None, code: AccountCode, at: datetime) -> int:
        """The balance of an account after everything that was posted until then."""
        currency = self._settings.currency
        query = (SQL["balance_at"], owner_id, code, currency, at)
        if owner_id is None:
            rows = await self.calls.fetch_behind(*query)
        else:
            rows = await self.calls.fetch_of(owner_id, *query, may_be_behind=True)
        return int(rows[0]["balance_minor"])

    async def scale(self, currency: str) -> int:
        """Digits behind the point of a currency."""
        row = await self.calls.fetchrow(SQL["scale"], currency)
        return int(row["scale"])

    async def trial_balance(self) -> TrialBalance:
        """The whole chart, in the ledger's currency."""
        rows = await self.calls.fetch_behind(SQL["trial_balance"], self._settings.currency)
        return trial_balance(
            self._settings.currency,
            {
                row["code"]: (row["debit_minor"], row["credit_minor"], row["accounts"])
                for row in rows
            },
        )

    def shift(self) -> AbstractAsyncContextManager[LogShift]:
        """The event log, for one publisher at a time; the errors are the driver's."""
        return shift(self.calls, self._recent)
