"""Batches: files of payouts for a person to pay, and the files of results that come back.

A batch is made under an id of the client's, so that making it twice makes one. It takes the oldest
held payouts, each in its own transaction; when the server dies in between, making it again goes on.
Its file is made once all of them are booked, and kept.
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from config.payouts import PayoutSettings
from ledger.errors import IdempotencyMismatch, LedgerRefusal
from ledger.event_store.database import Database, Row, Transaction, values_of
from ledger.payouts.errors import BatchNotReady, FileRepeated, UnknownBatch
from ledger.payouts.files import order_file, parse_results
from ledger.payouts.provider import order_of
from ledger.payouts.results import ResultSource
from ledger.payouts.saga import PayoutSteps
from ledger.payouts.settlement import SettlementDesk
from ledger.payouts.states import PayoutState
from ledger.payouts.store import FIRST, SQL, PayoutStore

PAGE_PAYOUTS = 100
NOT_BOOKED = frozenset({PayoutState.SENDING, PayoutState.CAPTURED})


@dataclass(frozen=True, slots=True)
class Batch:
    """One file of payouts; the last four are known once the file is complete."""

    batch_id: UUID
    created_by: UUID
    created_at: datetime
    taken_at: datetime | None
    sealed_at: datetime | None
    lines: int | None
    total_minor: int | None
    sha256: bytes | None


@dataclass(frozen=True, slots=True)
class BatchPage:
    """Batches, newest first."""

    batches: tuple[Batch, ...]
    next_cursor: UUID | None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file of results: counts of `news`, `known` and refused lines."""

    import_id: UUID
    lines: int
    news: int
    known: int
    refused: tuple[dict[str, str], ...]
    """Of each refused line: payout_id, code and message."""


class BatchDesk:
    """Files out and in. Everything raises LedgerBusy."""

    def __init__(
        self,
        settings: PayoutSettings,
        database: Database,
        store: PayoutStore,
        steps: PayoutSteps,
        settlement: SettlementDesk,
        *,
        wake: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._database = database
        self._store = store
        self._steps = steps
        self._settlement = settlement
        self._wake = wake
        self._clock = clock

    async def make(self, batch_id: UUID, by: UUID) -> Batch:
        """Take the oldest held payouts into a batch; those that the check stops are left out."""
        await self._database.fetch(SQL["add_batch"], batch_id, by, self._clock())
        batch = await self._batch(batch_id)
        if batch.taken_at is None:
            await self._take(batch_id)
            await self._database.fetch(SQL["batch_taken"], batch_id, self._clock())
            self._wake()
        return await self._batch(batch_id)

    async def file(self, batch_id: UUID) -> bytes:
        """The file of a batch: once it is complete, always the same bytes.

        Raises UnknownBatch, BatchNotReady.
        """
        async with self._database.transaction() as transaction:
            batch = await transaction.first(SQL["lock_batch"], batch_id)
            if batch is None:
                raise UnknownBatch
            if batch["content"] is None:
                batch = await self._seal(transaction, batch)
            content: bytes = batch["content"]
        if hashlib.sha256(content).digest() != batch["sha256"]:
            raise RuntimeError(f"the file of batch {batch_id} is not what it was when it was made")
        return content

    async def batches(self, cursor: UUID | None, limit: int) -> BatchPage:
        """Batches, newest first; maybe a little behind."""
        rows = await self._database.fetch_behind(SQL["batches"], cursor, limit + 1)
        shown = tuple(_batch(row) for row in rows[:limit])
        return BatchPage(shown, shown[-1].batch_id if len(rows) > limit else None)

    async def take_results(self, import_id: UUID, content: bytes, by: UUID) -> ImportReport:
        """Apply a file of results. Sent again under its id, the report is given again.

        A line that is refused holds up no other. One that was cut off goes on when it is sent
        again, under the id that it came under first, whatever it comes under now. Raises
        FileRefused where the file as a whole can't be taken, FileRepeated where it was taken under
        another id, IdempotencyMismatch where the id was used for another file.
        """
        results = parse_results(content, self._settings.batch_payouts)
        begun = await self._begin_import(import_id, content, by, len(results))
        if begun["report"] is not None:
            return _report(begun)
        counts: Counter[str] = Counter()
        refused: list[dict[str, str]] = []
        for result in results:
            try:
                _, what = await self._settlement.record(result, ResultSource.FILE, by)
                counts[what] += 1
            except LedgerRefusal as refusal:
                if refusal.code == "unavailable":
                    raise  # sent again, the file goes on: its lines are applied once
                refused.append(
                    {
                        "payout_id": str(result.payout_id),
                        "code": refusal.code,
                        "message": str(refusal),
                    }
                )
        report = {"news": counts["news"], "known": counts["known"], "refused": refused}
        await self._database.fetch(SQL["finish_import"], begun["import_id"], self._clock(), report)
        return await self.report(begun["import_id"])

    async def report(self, import_id: UUID) -> ImportReport:
        """What became of a file of results. Raises UnknownBatch."""
        row = await self._database.first(SQL["import"], import_id)
        if row is None or row["report"] is None:
            raise UnknownBatch
        return _report(row)

    async def _begin_import(self, import_id: UUID, content: bytes, by: UUID, lines: int) -> Row:
        """The row of a file that is being taken, or was taken under this id before."""
        digest = hashlib.sha256(content).digest()
        async with self._database.transaction() as transaction:
            await transaction.execute(
                SQL["add_import"], import_id, digest, by, self._clock(), lines
            )
            mine = await transaction.first(SQL["import"], import_id)
            same = await transaction.first(SQL["import_of_file"], digest)
        if mine is not None and mine["sha256"] != digest:
            raise IdempotencyMismatch
        if same is None or (mine is None and same["report"] is not None):
            raise FileRepeated
        return same

    async def _seal(self, transaction: Transaction, batch: Row) -> Row:
        """Make the file of a batch whose payouts are all booked, and keep it.

        What an admin has already said the result of is not in it: nobody shall pay it any more.
        """
        payouts = await self._store.locked_of_batch(transaction, batch["batch_id"])
        waiting = sum(payout.state in NOT_BOOKED for payout in payouts)
        if batch["taken_at"] is None or waiting:
            raise BatchNotReady(waiting)
        file = order_file([order_of(p) for p in payouts if p.state is PayoutState.SENT])
        [sealed] = await transaction.fetch(
            SQL["seal_batch"],
            batch["batch_id"],
            self._clock(),
            file.lines,
            file.total_minor,
            file.sha256,
            file.content,
        )
        return sealed

    async def _take(self, batch_id: UUID) -> None:
        taken = len(await self._store.of_batch(batch_id))
        after = FIRST
        while taken < self._settings.batch_payouts:
            page = await self._store.oldest_held(
                after, min(PAGE_PAYOUTS, self._settings.batch_payouts - taken)
            )
            if not page:
                return
            for payout in page:
                moved = await self._steps.begin_sending(payout, batch_id)
                if moved is None:
                    return  # an equal request was faster
                taken += moved.batch_id == batch_id
            after = page[-1].payout_id

    async def _batch(self, batch_id: UUID) -> Batch:
        row = await self._database.first(SQL["batch"], batch_id)
        if row is None:
            raise UnknownBatch
        return _batch(row)


def _batch(row: Row) -> Batch:
    values: dict[str, Any] = values_of(row)
    if values["total_minor"] is not None:
        values["total_minor"] = int(values["total_minor"])
    return Batch(**values)


def _report(row: Row) -> ImportReport:
    report = row["report"]
    return ImportReport(
        import_id=row["import_id"],
        lines=row["lines"],
        news=report["news"],
        known=report["known"],
        refused=tuple(report["refused"]),
    )
