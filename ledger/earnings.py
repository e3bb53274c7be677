"""Earnings: what gifts brought may be paid out once it is so many days old."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from ledger.accounts import AccountCode
from ledger.door import Door
from ledger.errors import LedgerBusy
from ledger.transfer import TransferResult

FIRST = UUID(int=0)
AT_ONCE = 50
"""Streamers that are looked at in one call; the first who gets something ends it."""
DESCRIPTION = "Earnings available"


class EarningsBooks(Protocol):
    """The books, as earnings need them; every call raises LedgerBusy."""

    async def mature_earnings(
        self, currency: str, before: datetime, after: UUID, limit: int, description: str
    ) -> tuple[UUID | None, int]:
        """The last streamer that was looked at, None at the end, and 1 where they got something."""

    async def close_account(
        self, owner_id: UUID, code: AccountCode, currency: str
    ) -> TransferResult: ...


class EarningsService:
    """Maturing of earnings, and the end of accounts."""

    def __init__(
        self, books: EarningsBooks, door: Door, currency: str, wake: Callable[[], None]
    ) -> None:
        self._books = books
        self._door = door
        self._currency = currency
        self._wake = wake
        self._cut_off_at = FIRST

    async def mature(self, before: datetime) -> int:
        """Make available what was earned before that moment, and say of how many streamers.

        What was taken from earnings counts as taken from the oldest; what a streamer owes after a
        chargeback is paid back first, and from what is available where that is more. Run twice it
        does nothing more; cut off by a ledger that is busy, the next run goes on there first, so
        that those behind get their turn, and those before it where it was cut off there again.
        """
        start, self._cut_off_at = self._cut_off_at, FIRST
        matured = await self._mature_behind(start, before)
        return matured if start == FIRST else matured + await self._mature_behind(FIRST, before)

    async def _mature_behind(self, start: UUID, before: datetime) -> int:
        last, matured = start, 0
        while True:
            try:
                with self._door.call("mature"):
                    found, count = await self._books.mature_earnings(
                        self._currency, before, last, AT_ONCE, DESCRIPTION
                    )
            except LedgerBusy:
                self._cut_off_at = last if last != start else FIRST
                raise
            if count:
                matured += count
                self._wake()
            if found is None:
                return matured
            last = found

    async def close_account(self, owner_id: UUID, code: AccountCode) -> None:
        """Close an empty account for good: nothing is posted to it any more.

        Raises UnknownAccount, AccountNotEmpty.
        """
        with self._door.call("close_account") as call:
            call.settle(await self._books.close_account(owner_id, code, self._currency), {})
