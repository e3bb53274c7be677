"""Group commit: what waits is committed together, each gets its own answer after the commit.

There is no timer. While batches are in flight the next gathers, up to `most`. There are several
ways to commit one, and what waits goes the way that is free first, in fair shares: a batch has a
price of its own, so beside others one starts only when as much waits as a way's share of all that
is under way, and no less than `WORTH_A_WAY`. Who is about to get an answer counts as under way, for
most come again: without them, what has come again so far would pass for everything. It is taken a
turn of the loop after there could be one, so that what comes at the same time goes together.
Answers are given by few a turn: those who got one have much to do, and the database's next word, to
another batch, should not wait until they all have done it.

Order is that of arrival, but batches in flight never share a key: one would wait for the other in
the database. What has the key of a batch in flight lets others pass, and follows it in order. A
waiter that is cancelled before its item was sent takes it back; after that the item is committed
or not as if nothing had happened, and nobody else is touched.
"""

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar, cast

from ledger.errors import LedgerBusy

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")
Commit = Callable[[Sequence[Item]], Awaitable[Sequence[Outcome]]]

WORTH_A_WAY = 16
"""Items for which a way is used beside others."""
ANSWERED_AT_ONCE = 16
"""Answers given in one turn of the loop."""


class GroupCommit(Generic[Item, Outcome]):
    """Commits items in batches through `ways`, one batch at a time through each.

    A way gives an outcome for each item, in their order. Where it raises LedgerBusy, all of the
    batch get that; where it raises anything else, the batch is sent in halves, which must be safe
    for what was committed all the same: in the end only the item that is at fault gets the error.
    """

    def __init__(
        self,
        ways: Sequence[Commit[Item, Outcome]],
        *,
        key: Callable[[Item], Hashable],
        most: int,
        most_waiting: int,
    ) -> None:
        self._ways = len(ways)
        self._free = list(reversed(ways))
        self._key = key
        self._most = most
        self._most_waiting = most_waiting
        self._waiting: deque[tuple[Item, asyncio.Future[Outcome]]] = deque()
        self._answers: deque[tuple[asyncio.Future[Outcome], Outcome]] = deque()
        self._tasks = set[asyncio.Task[None]]()
        """One for each way that is in use."""
        self._taking = 0
        """Ways that take a batch at the next turn."""
        self._in_flight = 0
        self._keys_in_flight = set[Hashable]()
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
        self._start_if_worth()
        return future

    async def close(self) -> None:
        """Take nothing more, and return when everything that waits has its answer."""
        self._closed = True
        while self._tasks:
            await asyncio.wait(self._tasks)
        while self._answers:
            self._answer()

    def _start_if_worth(self) -> None:
        if self._free and self._worth_a_batch(beside=len(self._tasks)):
            self._tasks.add(asyncio.create_task(self._run(self._free.pop())))

    def _worth_a_batch(self, *, beside: int) -> bool:
        """Whether enough waits for one more batch, beside so many ways that are in use."""
        if beside == 0:
            return bool(self._waiting)
        return len(self._waiting) >= max(WORTH_A_WAY * (1 + self._taking), self._share())

    def _share(self) -> int:
        """Of a way, of all that is under way."""
        total = self._in_flight + len(self._waiting) + len(self._answers)
        return math.ceil(total / min(self._ways, max(1, total // WORTH_A_WAY)))

    async def _run(self, way: Commit[Item, Outcome]) -> None:
        try:
            while self._worth_a_batch(beside=len(self._tasks) - 1):
                if not (batch := await self._take()):
                    break  # all that waits has keys in flight: the ways that have those go on
                keys = {self._key(item) for item, _ in batch}
                self._in_flight += len(batch)
                self._keys_in_flight |= keys
                try:
                    await self._send(way, batch)
                finally:
                    self._in_flight -= len(batch)
                    self._keys_in_flight -= keys
        finally:
            self._free.append(way)
            self._tasks.discard(cast("asyncio.Task[None]", asyncio.current_task()))
            if not self._tasks:
                for _, future in self._waiting:  # only where this task was cancelled
                    future.cancel()
                self._waiting.clear()

    async def _take(self) -> list[tuple[Item, asyncio.Future[Outcome]]]:
        """A share of those that still want an answer, a turn later."""
        self._taking += 1
        try:
            await asyncio.sleep(0)
        finally:
            self._taking -= 1
        most = min(self._most, self._share())
        batch: list[tuple[Item, asyncio.Future[Outcome]]] = []
        passed_by: list[tuple[Item, asyncio.Future[Outcome]]] = []
        while self._waiting and len(batch) < most:
            entry = self._waiting.popleft()
            if self._keys_in_flight and self._key(entry[0]) in self._keys_in_flight:
                passed_by.append(entry)
            elif not entry[1].done():
                batch.append(entry)
        self._waiting.extendleft(reversed(passed_by))
        return batch

    async def _send(
        self, way: Commit[Item, Outcome], batch: Sequence[tuple[Item, asyncio.Future[Outcome]]]
    ) -> None:
        self.batches += 1
        self.items += len(batch)
        try:
            outcomes = await way([item for item, _ in batch])
        except LedgerBusy:
            for _, future in batch:
                if not future.done():
                    future.set_exception(LedgerBusy())
        except Exception as error:
            if len(batch) > 1:
                middle = len(batch) // 2
                await self._send(way, batch[:middle])
                await self._send(way, batch[middle:])
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
        else:
            self._start_if_worth()  # those who did not come again count no more
