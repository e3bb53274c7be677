"""The connection that posts batches of gifts, with plans that are made once and kept."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from asyncpg.prepared_stmt import PreparedStatement

from config.ledger import LedgerSettings
from config.sql import load_queries
from ledger.errors import LedgerBusy
from ledger.gift_batch import Found, GiftBatch, judge, lay_out
from ledger.gifts import PreparedGift, SettledGift
from ledger.outbox import LogBatch
from ledger.recent import RecentBatches
from ledger.store.calls import AWAY, WORTH_ANOTHER_TRY
from ledger.store.exhaustion import Exhaustion
from ledger.transfer import TransferResult

SQL = load_queries("ledger", "sql/writer.sql")

GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)
ATTEMPTS = 3
MOST_REMEMBERED = 100_000

Places = list[tuple[int, PreparedGift]]
"""Gifts with their places in the batch."""


class SomethingSpeaksAgainst(asyncpg.PostgresError):
    """Raised by ledger.post_gifts where it was not told to look."""

    sqlstate = "LR002"


DOUBTFUL = (
    SomethingSpeaksAgainst,
    asyncpg.UniqueViolationError,
    asyncpg.CheckViolationError,  # its month was made while it was on its way to none
)
R = TransferResult
POSTED, REPEATED = R.POSTED, R.REPEATED
BUSY = LedgerBusy.code
"""The result of a gift that needs a locked account."""


class GiftWriter:
    """Posts one batch at a time, in one round trip and one transaction.

    It takes a connection out of the pool at its first batch and keeps it to itself.
    Generic plans are forced, and made while sequential scans are forbidden: those of an empty table
    would otherwise be kept for ever. The shard of the writer's sub-accounts is held by a lock of
    the connection, so two writers never share one.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        settings: LedgerSettings,
        exhaustion: Exhaustion | None = None,
        recent: RecentBatches | None = None,
    ) -> None:
        """`exhaustion`: where it is told that the server has run out of something.

        `recent`: where it puts what it has committed.
        """
        self._pool = pool
        self._exhaustion = exhaustion or Exhaustion()
        self._recent = recent or RecentBatches()
        self._settings = settings
        self._connection: PoolConnectionProxy | None = None
        self._statement: PreparedStatement | None = None
        self._shard = 0
        self._house = UUID(int=0)
        self._payees = set[int]()
        """Those whose sub-account on the shard is open."""
        self._refused = set[int]()
        """Payers of whom a gift was refused lately; theirs do not spoil the batches of others."""

    async def post(self, gifts: Sequence[PreparedGift]) -> list[SettledGift]:
        """What became of each gift, in their order; all that were posted are committed.

        A batch whose answer is lost is sent again: what it had posted is then answered as repeated.
        Where something else has locked accounts for too long, the gifts that need them are BUSY.
        Raises LedgerBusy when the database is away: the gifts may have been posted or not. After
        other errors they may be sent again, all together or apart.
        """
        try:
            return await self._post(gifts)
        except asyncpg.NumericValueOutOfRangeError:
            if len(gifts) > 1:
                raise  # whose balance would be too large shows when they are sent apart
            return [SettledGift(R.AMOUNT_TOO_LARGE, 0, None, None)]

    async def _post(self, gifts: Sequence[PreparedGift]) -> list[SettledGift]:
        settled: dict[int, SettledGift] = {}
        waiting = list(enumerate(gifts))
        while waiting:
            first, waiting = _first_of_each_request(waiting)
            plain, doubtful = self._apart(first)
            if plain:
                await self._settle(plain, settled, look=False)
            if doubtful:
                await self._settle(doubtful, settled, look=True)
        return [settled[place] for place in range(len(gifts))]

    def _apart(self, gifts: Places) -> tuple[dict[int, PreparedGift], dict[int, PreparedGift]]:
        """Those that nothing is likely to speak against, and those to be looked at before.

        A payer's gifts stay together, in their order.
        """
        doubtful = {
            gift.payer_id.int
            for _, gift in gifts
            if gift.payee_id.int not in self._payees or gift.payer_id.int in self._refused
        }
        if not doubtful:
            return dict(gifts), {}
        return (
            {place: gift for place, gift in gifts if gift.payer_id.int not in doubtful},
            {place: gift for place, gift in gifts if gift.payer_id.int in doubtful},
        )

    async def _settle(
        self, gifts: dict[int, PreparedGift], settled: dict[int, SettledGift], *, look: bool
    ) -> None:
        """Post what can be and refuse the rest.

        An attempt posts all, or nothing and says what speaks against which. What is left goes into
        the next; the wallets are free in between, so that is judged anew.
        """
        failures = 0
        while gifts:
            try:
                async with asyncio.timeout(self._settings.statement_timeout_s):
                    statement = self._statement or await self._open()
                    batch = lay_out(list(gifts.values()))
                    row = await statement.fetchrow(
                        self._shard, self._settings.currency, self._house, look, *batch.columns
                    )
            except DOUBTFUL:
                failures += look  # an account was closed, or a request carried out, meanwhile
                if failures == ATTEMPTS:
                    raise
                look = True
            except asyncpg.LockNotAvailableError as error:
                locked = await self._locked(gifts)
                failures += not locked
                if failures == ATTEMPTS:
                    raise LedgerBusy from error
                settled |= dict.fromkeys(locked, SettledGift(BUSY, 0, None, None))
                gifts = {place: gift for place, gift in gifts.items() if place not in locked}
            except AWAY as error:
                self._exhaustion.failed(error)
                await self._drop_unless_sound(error)
                failures += 1
                if failures == ATTEMPTS or not isinstance(error, WORTH_ANOTHER_TRY):
                    raise LedgerBusy from error
                look = True
            except asyncio.CancelledError:
                await self.close()
                raise
            else:
                self._exhaustion.posted()
                settled |= (outcomes := _outcomes(gifts, batch, row))
                if committed := _committed(gifts, row):
                    self._recent.add(committed)
                if look:
                    self._remember(gifts, outcomes)
                gifts = {place: gift for place, gift in gifts.items() if place not in settled}

    async def _locked(self, gifts: Mapping[int, PreparedGift]) -> list[int]:
        """Those that need an account that something else has locked.

        Raises LedgerBusy where nobody's rows are it, but the whole table.
        """
        if self._connection is None:  # it was not even opened
            return []
        try:
            rows = await self._connection.fetch(
                SQL["locked"],
                [gift.payer_id for gift in gifts.values()],
                [gift.payee_id for gift in gifts.values()],
                self._settings.currency,
                self._shard,
                timeout=self._settings.statement_timeout_s,
            )
        except (*AWAY, asyncpg.LockNotAvailableError) as error:
            raise LedgerBusy from error
        locked = {(row["code"], row["owner_id"].int) for row in rows}
        return [
            place
            for place, gift in gifts.items()
            if ("wallet", gift.payer_id.int) in locked or ("earnings", gift.payee_id.int) in locked
        ]

    def _remember(
        self, gifts: Mapping[int, PreparedGift], outcomes: Mapping[int, SettledGift]
    ) -> None:
        """Whose gifts need no look the next time, and whose do."""
        for place, outcome in outcomes.items():
            gift = gifts[place]
            if outcome.result is POSTED:
                self._payees.add(gift.payee_id.int)
                self._refused.discard(gift.payer_id.int)
            else:
                self._refused.add(gift.payer_id.int)
        for known in (self._payees, self._refused):
            if len(known) > MOST_REMEMBERED:
                known.clear()

    async def close(self) -> None:
        """Give the connection up; a later batch takes another."""
        connection, self._connection, self._statement = self._connection, None, None
        if connection is not None:
            with suppress(asyncpg.InterfaceError):  # it died, and the pool has taken it back
                connection.terminate()
            await self._pool.release(connection)

    async def _open(self) -> PreparedStatement:
        settings = self._settings
        connection = await self._pool.acquire(timeout=settings.acquire_timeout_s)
        self._connection = connection
        try:
            await connection.execute(SQL["pin_plans"])
            await connection.execute(f"SET lock_timeout = {round(settings.lock_timeout_s * 1000)}")
            shard = await connection.fetchval(SQL["take_shard"])
            if shard is None:
                raise LedgerBusy
            self._shard = shard
            self._payees.clear()
            self._house = await connection.fetchval(SQL["open_fees"], settings.currency, shard)
            self._statement = await connection.prepare(SQL["post_gifts"])
        except BaseException:
            await self.close()
            raise
        return self._statement

    async def _drop_unless_sound(self, error: Exception) -> None:
        """Keep the connection where the server itself has answered, and goes on serving it."""
        if not isinstance(error, asyncpg.PostgresError) or isinstance(error, GONE):
            await self.close()


def _first_of_each_request(gifts: Places) -> tuple[Places, Places]:
    """Those with a request of their own, and those that come behind an equal one."""
    first = {(gift.payer_id.int, gift.request_id.int): place for place, gift in reversed(gifts)}
    if len(first) == len(gifts):
        return gifts, []
    places = set(first.values())
    return (
        [entry for entry in gifts if entry[0] in places],
        [entry for entry in gifts if entry[0] not in places],
    )


def _outcomes(
    gifts: Mapping[int, PreparedGift], batch: GiftBatch, row: Any
) -> dict[int, SettledGift]:
    """Of all gifts where they were posted; else of those that won't be."""
    posted_at, balances, available, closed, known, answers, _, _ = row
    if known is None:
        return {
            place: SettledGift(POSTED, balances[payer - 1] + moved, posted_at, None)
            for place, payer, moved in zip(gifts, batch.payer_of, batch.payer_moved, strict=True)
        }
    judged = judge(list(gifts.values()), batch, Found(available, closed, known))
    refused = {
        place: SettledGift(result, has_minor, None, answers[n] if result is REPEATED else None)
        for n, (place, (result, has_minor)) in enumerate(zip(gifts, judged, strict=True))
        if result is not POSTED
    }
    if not refused:
        raise AssertionError("nothing was posted, and nothing speaks against any gift")
    return refused


def _committed(gifts: Mapping[int, PreparedGift], row: Any) -> LogBatch | None:
    """What the log has of them; nothing where none was posted."""
    if row["sequence"] is None:
        return None
    return LogBatch(row["sequence"], len(gifts), row["posted_at"], row["events"].encode())
