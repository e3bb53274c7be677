"""A database whose user dies at a chosen point: before a transaction, or after its commit."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from ledger.event_store.database import Database, Transaction


class Killed(BaseException):
    """The process is gone: nothing of ours catches it."""


class MortalDatabase(Database):
    """Counts the points at which it could die, and dies at the one with the number `dies_at`."""

    def __init__(self, database: Database, dies_at: int | None = None) -> None:
        self._inner = database
        self._dies_at = dies_at
        self.points = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        self.point()
        async with self._inner.transaction() as transaction:
            yield transaction
        self.point()

    def point(self) -> None:
        """A point at which the process may die; for what is outside of the database too."""
        self.points += 1
        if self.points == self._dies_at:
            raise Killed


async def die_everywhere(
    live: Callable[[int | None], Awaitable[int]], judge: Callable[[], Awaitable[None]]
) -> int:
    """Let `live` die at each of its points once and come back after that, and judge each outcome.

    `live` does the whole of something new, dying at the point given and then going on as a new
    process would; it returns how many points it passed. Gives the count of points.
    """
    points = await live(None)
    await judge()
    for point in range(1, points + 1):
        await live(point)
        await judge()
    return points
