"""Partitions of the months to come."""

from config.sql import load_queries
from ledger.store.calls import Calls

SQL = load_queries("ledger", "sql/upkeep.sql")

MONTHS_AHEAD = 3


class UpkeepBooks:
    """What the ledger's tables need now and then; every method raises LedgerBusy."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def make_months_ahead(self) -> int:
        """Make the partitions of this month and the next ones; how many were missing."""
        row = await self._calls.fetchrow(SQL["make_months_ahead"], MONTHS_AHEAD)
        return int(row["made"])

    async def strays(self) -> int:
        """Rows that found no month of their own, and keep that month from being made."""
        row = await self._calls.fetchrow(SQL["strays"])
        return int(row["entries"]) + int(row["batches"])
