"""Whole statements: every entry of a period, read page by page, as CSV or as a page that prints."""

from datetime import datetime
from uuid import UUID

from ledger.errors import InvalidPage, LedgerBusy
from ledger.service import LedgerService
from ledger.statement_csv import header, records
from ledger.statement_html import StatementPage, render
from ledger.statements import MAX_LINES, Period, Statement, StatementAccount, StatementLine

MOST_LINES = 50_000
"""Most entries of one export."""
READINGS = 5
"""Until an export adds up."""


class StatementExport:
    """Exports over the ledger's service."""

    def __init__(self, ledger: LedgerService) -> None:
        self._ledger = ledger

    async def csv(self, user_id: UUID, account: StatementAccount, period: Period) -> str:
        """Entries, oldest first.

        Raises InvalidPage where there are too many, LedgerBusy where they change again and again.
        """
        _, lines = await self._read(user_id, account, period)
        return header() + records(lines, self._ledger.currency, await self._ledger.scale())

    async def html(
        self,
        user_id: UUID,
        account: StatementAccount,
        period: Period,
        *,
        holder: str,
        now: datetime,
    ) -> str:
        """A page with opening and closing balances, for `holder`. Raises as `csv` does."""
        newest, lines = await self._read(user_id, account, period)
        page = StatementPage(
            holder=holder,
            account=account,
            currency=newest.currency,
            scale=await self._ledger.scale(),
            begins_at=period.begins_at,
            ends_at=period.ends_at,
            made_at=now,
            opening_minor=newest.opening_balance_minor,
            closing_minor=newest.closing_balance_minor,
        )
        return render(page, lines)

    async def _read(
        self, user_id: UUID, account: StatementAccount, period: Period
    ) -> tuple[Statement, list[StatementLine]]:
        """The first page, and all entries, oldest first.

        What was posted in the period and committed between two pages is in the later ones only. The
        entries don't add up to the closing balance then, and are read again.
        """
        for _ in range(READINGS):
            first, lines = await self._pages(user_id, account, period)
            total_minor = sum(line.amount_minor for line in lines)
            if first.opening_balance_minor + total_minor == first.closing_balance_minor:
                return first, lines
        raise LedgerBusy

    async def _pages(
        self, user_id: UUID, account: StatementAccount, period: Period
    ) -> tuple[Statement, list[StatementLine]]:
        lines: list[StatementLine] = []
        first: Statement | None = None
        cursor: str | None = None
        while first is None or cursor is not None:
            page = await self._ledger.statement(
                user_id, account=account, cursor=cursor, limit=MAX_LINES, period=period
            )
            first = first or page
            lines += page.lines
            cursor = page.next_cursor
            if len(lines) > MOST_LINES:
                raise InvalidPage(
                    "from", f"More than {MOST_LINES:,} entries. Take a shorter period."
                )
        return first, lines[::-1]
