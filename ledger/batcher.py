"""Group commit: what waits is committed together, each gets its own answer after the commit.

There is no timer. While one batch is in flight the next gathers, up to `most`. A batch is taken a
turn of the loop after there could be one, so that what comes at the same time goes together: a
batch has a price of its own, and two halves would pay it twice. Answers are given by few a turn:
those who got one have much to do, and the database's next word, to another batch, should not wait
until they all have done it.

Order is that of arrival. A waiter that is cancelled before its item was sent takes it back; after
that the item is committed or not as if nothing had happened, and nobody else is touched.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from ledger.errors import LedgerBusy

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

ANSWERED_AT_ONCE = 16
"""Answers given in one turn of the loop."""


class GroupCommit(Generic[Item, Outcome]):
    """Commits items in batches through `commit`, one batch at a time.

    `commit` gives an outcome for each item, in their order. Where it raises LedgerBusy, all of the
    batch get that; where it raises anything else, the batch is sent in halves, which must be safe
    for what was committed all the same: in the end only the item that is at fault gets the error.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Item]], Awaitable[Sequence[Outcome]]],
        *,
        most: int,
        most_waiting: int,
    ) -> None:
        self._commit = commit
        self._most = most
        self._most_waiting = most_waiting
        self._waiting: deque[tuple[Item, asyncio.Future[Outcome]]] = deque()
        self._answers: deque[tuple[asyncio.Future[Outcome], Outcome]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self.batches = 0
        """Batches that were sent."""
        self.items = 0
        """Items in them."""

    @property
    def waiting(self) -> int:
        """Items that no batch has taken yet."""
        return len(self._waiting)

    def submit(self, item: Item) -> asyncio.Future[Outcome]:
        """The outcome of an item, when it is committed.

        Raises LedgerBusy where too many wait, or after `close`.
        """
        if self._closed or len(self._waiting) >= self._most_waiting:
            raise LedgerBusy
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return future

    async def close(self) -> None:
        """Take nothing more, and return when everything that waits has its answer."""
        self._closed = True
        if self._task is not None:
            await asyncio.wait([self._task])
        while self._answers:
            self._answer()

    async def _run(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(0)
                if batch := self._take():
                    await self._send(batch)
        finally:
            self._task = None
            for _, future in self._waiting:  # only where this task was cancelled
                future.cancel()
            self._waiting.clear()

    def _take(self) -> list[tuple[Item, asyncio.Future[Outcome]]]:
        """The first of those that still want an answer."""
        batch: list[tuple[Item, asyncio.Future[Outcome]]] = []
        while self._waiting and len(batch) < self._most:
            entry = self._waiting.popleft()
            if not entry[1].done():
                batch.append(entry)
        return batch

    async def _send(self, batch: Sequence[tuple[Item, asyncio.Future[Outcome]]]) -> None:
        self.batches += 1
        self.items += len(batch)
        try:
            outcomes = await self._commit([item for item, _ in batch])
        except LedgerBusy:
            for _, future in batch:
                if not future.done():
                    future.set_exception(LedgerBusy())
        except Exception as error:
            if len(batch) > 1:
                middle = len(batch) // 2
                await self._send(batch[:middle])
                await self._send(batch[middle:])
            elif not batch[0][1].done():
                batch[0][1].set_exception(error)
        else:
            # Waiters run at the next turns of the loop, when the next batch is on its way.
            if not self._answers:
                asyncio.get_running_loop().call_soon(self._answer)
            futures = (future for _, future in batch)
            self._answers.extend(zip(futures, outcomes, strict=True))

    def _answer(self) -> None:
        for _ in range(min(ANSWERED_AT_ONCE, len(self._answers))):
            future, outcome = self._answers.popleft()
            if not future.done():
                future.set_result(outcome)
        if self._answers:
            asyncio.get_running_loop().call_soon(self._answer)
