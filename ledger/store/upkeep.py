"""Partitions of the months to come, and whether the ledger's time is ahead of the clock."""

import logging
from collections.abc import Awaitable, Callable

import asyncpg

from config.sql import load_queries
from ledger.store.calls import Calls

SQL = load_queries("ledger", "sql/upkeep.sql")

log = logging.getLogger(__name__)

MONTHS_AHEAD = 3
MOST_MOVED = 10_000
"""Rows that may move from a default partition into a month beside the work: a moment."""

MOST_MOVED_AT_START = 1_000_000
"""The same where nobody waits for it yet: some seconds."""

MOST_AHEAD_S = 1.0
"""A clock that is set right may go back by less."""


class UpkeepBooks:
    """What the ledger's tables need now and then; every method raises LedgerBusy."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self.clock_ahead_s = 0.0
        """As `look_at_clock` found it the last time."""

    async def make_months_ahead(self) -> int:
        """Make the partitions of this month and the next ones; how many it made.

        Raises ExceptionGroup as `make_months` does.
        """
        return await make_months(self._calls.fetch, most_moved=MOST_MOVED)

    async def strays(self) -> int:
        """Rows that found no month of their own; they move when that month is made."""
        row = await self._calls.fetchrow(SQL["strays"])
        return int(row["entries"]) + int(row["batches"])

    async def look_at_clock(self) -> int:
        """Say whether postings are of a time that is still to come; 1 if so.

        Along an account time never goes back: after one posting while the clock was ahead, all
        that its accounts post, and whoever posts with them, is of that time, too.
        """
        row = await self._calls.fetchrow(SQL["clock_ahead"])
        self.clock_ahead_s = row["ahead_s"]
        if self.clock_ahead_s < MOST_AHEAD_S:
            return 0
        log.error(
            "postings are of a time to come: the database's clock was ahead",
            extra={"ahead_s": round(self.clock_ahead_s)},
        )
        return 1


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
