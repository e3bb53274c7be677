"""A consumer: reads all streams in order, from where it stopped, once in effect.

What it does with a page happens in the transaction that moves its cursor: both are committed or
neither. One process at a time reads for a consumer; the others find its cursor taken.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from ledger.event_store.catalogue import StoredEvent
from ledger.event_store.database import Database, Transaction
from ledger.event_store.store import PAGE_EVENTS, SQL, EventStore

Handle = Callable[[Transaction, Sequence[StoredEvent]], Awaitable[None]]


class Consumer:
    """A named reader of the store."""

    def __init__(
        self,
        name: str,
        database: Database,
        store: EventStore,
        handle: Handle,
        *,
        clock: Callable[[], datetime],
        page_events: int = PAGE_EVENTS,
    ) -> None:
        """`handle` writes what follows from a page, in the transaction that it is given."""
        self.name = name
        self._database = database
        self._store = store
        self._handle = handle
        self._clock = clock
        self._page_events = page_events

    async def open(self) -> None:
        """Make the cursor where there is none: a new consumer begins at the first event."""
        await self._database.fetch(SQL["open_cursor"], self.name, self._clock())

    async def take(self) -> int:
        """Handle the next page; how many events it had. 0 too while another process reads."""
        async with self._database.transaction() as transaction:
            cursor = await transaction.first(SQL["take_cursor"], self.name)
            if cursor is None:
                return 0
            page = await self._store.read_all(
                cursor["position"], self._page_events, transaction=transaction
            )
            if page:
                await self._handle(transaction, page)
                await self._move(transaction, page[-1].position)
            return len(page)

    async def rewind(self, position: int) -> None:
        """Read again from behind `position`; waits for nobody, so raises where it is being read.

        Raises ConsumerBusy.
        """
        async with self._database.transaction() as transaction:
            if await transaction.first(SQL["take_cursor"], self.name) is None:
                raise ConsumerBusy(self.name)
            await self._move(transaction, position)

    async def _move(self, transaction: Transaction, position: int) -> None:
        await transaction.execute(SQL["move_cursor"], self.name, position, self._clock())


class ConsumerBusy(RuntimeError):
    """The consumer is reading, here or in another process, or was never opened."""
