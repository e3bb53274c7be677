"""Partitions of the months to come."""

from collections.abc import Awaitable, Callable

import asyncpg

from config.sql import load_queries
from ledger.store.calls import Calls

SQL = load_queries("ledger", "sql/upkeep.sql")

MONTHS_AHEAD = 3
MOST_MOVED = 10_000
"""Rows that may move from a default partition into a month beside the work: a moment."""

MOST_MOVED_AT_START = 1_000_000
"""The same where nobody waits for it yet: some seconds."""


class UpkeepBooks:
    """What the ledger's tables need now and then; every method raises LedgerBusy."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def make_months_ahead(self) -> int:
        """Make the partitions of this month and the next ones; how many it made.

        Raises ExceptionGroup as `make_months` does.
        """
        return await make_months(self._calls.fetch, most_moved=MOST_MOVED)

    async def strays(self) -> int:
        """Rows that found no month of their own; they move when that month is made."""
        row = await self._calls.fetchrow(SQL["strays"])
        return int(row["entries"]) + int(row["batches"])


async def make_months(
    fetch: Callable[..., Awaitable[list[asyncpg.Record]]], *, most_moved: int
) -> int:
    """Make what is missing of this month and the next ones, each for itself; how many it made.

    `fetch` runs one statement. Raises, when all were tried, ExceptionGroup with the PostgresError
    of each month that could not be made: a table in use, or more than `most_moved` rows to move.
    """
    made, failed = 0, []
    for month in await fetch(SQL["missing_months"], MONTHS_AHEAD):
        try:
            rows = await fetch(SQL["make_month"], month["parent"], month["month"], most_moved)
        except asyncpg.PostgresError as error:
            error.add_note(f"{month['parent']} of {month['month']:%Y-%m}")
            failed.append(error)
        else:
            made += int(rows[0]["made"])
    if failed:
        raise ExceptionGroup("months that could not be made", failed)
    return made
