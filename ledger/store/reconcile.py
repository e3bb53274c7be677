"""Reconciliation in PostgreSQL: checks of the ledger, settlement lines, matches, the work list."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import astuple
from datetime import date, datetime
from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from config.sql import load_queries
from ledger.errors import LedgerBusy
from ledger.reconcile.errors import UnknownDifference
from ledger.reconcile.items import Item
from ledger.reconcile.runs import Found, Reconciliation, RunKind
from ledger.reconcile.worklist import Difference, DifferenceState
from ledger.store.calls import AWAY, Connections

SQL = load_queries("ledger", "sql/reconcile.sql")

CHECKS = ("balances", "currencies", "holds", "purchases")
MOST_FOUND = 1000
"""Most differences of one check that a run lists."""

MOST_LOGGED = 10_000
"""Most batches of the log that the stream is compared with, but for those that it has: one that was
set back, or has a forged entry, may begin any number of batches before its end."""
MAX_SEQUENCE = 2**63 - 1

ACQUIRE_S = 10.0
PATIENCE_S = 600.0
"""How long each statement of a run may take, in the driver and in the database."""


class ReconcileStore:
    """Everything raises LedgerBusy while the database is away."""

    def __init__(self, pool: asyncpg.Pool, *, reads: Connections | None = None) -> None:
        """`reads`: where what may be a little behind is read; left out, from the pool."""
        self._pool = pool
        self._reads: Connections = reads or pool

    @asynccontextmanager
    async def work(self) -> AsyncIterator["ReconcileWork"]:
        """One transaction; runs take turns in it."""
        try:
            async with (
                self._pool.acquire(timeout=ACQUIRE_S) as connection,
                connection.transaction(),
            ):
                await connection.execute(f"SET LOCAL statement_timeout = '{PATIENCE_S:.0f}s'")
                work = ReconcileWork(connection)
                await work.lock()
                yield work
        except AWAY as error:
            raise LedgerBusy from error

    async def reconciliation(self, reconciliation_id: UUID) -> Reconciliation | None:
        """A run by its id."""
        rows = await self._fetch(SQL["reconciliation"], reconciliation_id)
        return _run(rows[0]) if rows else None

    async def reconciliations(self, before: UUID | None, limit: int) -> list[Reconciliation]:
        """Runs before that one, newest first; maybe a little behind."""
        rows = await self._fetch_behind(SQL["reconciliations"], before, limit)
        return [_run(row) for row in rows]

    async def newest_scheduled(self, before: datetime) -> datetime | None:
        """When the last internal run before that began that nobody asked for by name."""
        rows = await self._fetch(SQL["newest_scheduled"], before)
        return rows[0]["started_at"] if rows else None

    async def published_until(self) -> int:
        """The publisher's cursor."""
        [row] = await self._fetch(SQL["published_until"])
        return int(row["sequence"])

    async def differences(
        self, state: DifferenceState | None, before: UUID | None, limit: int
    ) -> list[Difference]:
        """Lines of the work list before that one, newest first. But for those that are not closed,
        they may be a little behind."""
        is_open = state in (DifferenceState.OPEN, DifferenceState.ASSIGNED)
        fetch = self._fetch if is_open else self._fetch_behind
        rows = await fetch(SQL["differences"], state, before, limit)
        return [_difference(row) for row in rows]

    async def change(
        self, difference_id: UUID, change: Callable[[Difference], Difference]
    ) -> Difference:
        """Change one under its lock. Raises UnknownDifference, and what `change` raises."""
        try:
            async with (
                self._pool.acquire(timeout=ACQUIRE_S) as connection,
                connection.transaction(),
            ):
                row = await connection.fetchrow(SQL["lock_difference"], difference_id)
                if row is None:
                    raise UnknownDifference
                new = change(_difference(row))
                await connection.execute(
                    SQL["change_difference"],
                    *(difference_id, new.state, new.assigned_to, new.note, new.changed_at),
                )
                return new
        except AWAY as error:
            raise LedgerBusy from error

    async def _fetch(self, query: str, *args: object) -> list[asyncpg.Record]:
        try:
            return await self._pool.fetch(query, *args)
        except AWAY as error:
            raise LedgerBusy from error

    async def _fetch_behind(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Twice where it fails: a replica that is away is not asked again."""
        for is_last in (False, True):
            try:
                async with self._reads.acquire(timeout=ACQUIRE_S) as connection:
                    return await connection.fetch(query, *args)
            except AWAY as error:
                if is_last:
                    raise LedgerBusy from error
        raise AssertionError


class ReconcileWork:
    """A run's transaction; its statements may take `PATIENCE_S` each."""

    def __init__(self, connection: PoolConnectionProxy) -> None:
        self._connection = connection

    async def lock(self) -> None:
        """Wait for other runs to end."""
        await self._fetch("reconcile_lock")

    async def newest_scheduled(self, before: datetime) -> datetime | None:
        """As ReconcileStore has it, after what other runs have written."""
        rows = await self._fetch("newest_scheduled", before)
        return rows[0]["started_at"] if rows else None

    async def check(self, name: str) -> list[Found]:
        """What one of CHECKS finds."""
        rows = await self._fetch(f"check_{name}", MOST_FOUND)
        return [Found(name, row["subject"], row["reason"]) for row in rows]

    async def counted(self) -> dict[str, int]:
        """How many accounts and purchases there are."""
        [row] = await self._fetch("counted")
        return dict(row)

    async def logged(self, first: int, last: int, *, named: Iterable[int] = ()) -> dict[int, bytes]:
        """SHA-256 of the events of the newest `MOST_LOGGED` batches in [first, last], and of those
        that are named, by sequence."""
        first, last = min(first, MAX_SEQUENCE), min(last, MAX_SEQUENCE)
        numbers = [each for each in named if each <= MAX_SEQUENCE]
        rows = await self._fetch("logged", first, last, MOST_LOGGED, numbers)
        return {row["sequence"]: row["digest"] for row in rows}

    async def open_differences(self, check: str) -> list[Found]:
        """What of that check stands on the work list."""
        rows = await self._fetch("open_differences", check)
        return [Found(check, row["subject"], row["reason"]) for row in rows]

    async def resolved_differences(self, check: str) -> list[Found]:
        """What of that check somebody has explained."""
        rows = await self._fetch("resolved_differences", check)
        return [Found(check, row["subject"], row["reason"]) for row in rows]

    async def scales(self) -> dict[str, int]:
        """Digits behind the point, by currency of the ledger."""
        return {row["currency"]: row["scale"] for row in await self._fetch("scales")}

    async def known(self, reconciliation_id: UUID) -> Reconciliation | None:
        """The run of this id."""
        rows = await self._fetch("reconciliation", reconciliation_id)
        return _run(rows[0]) if rows else None

    async def of_file(self, file_hash: bytes) -> Reconciliation | None:
        """The run of this file."""
        rows = await self._fetch("reconciliation_of_file", file_hash)
        return _run(rows[0]) if rows else None

    async def known_lines(self, provider: str, keys: Sequence[str]) -> dict[str, Item]:
        """Lines of these ids that came in an earlier file."""
        rows = await self._fetch("known_lines", provider, list(keys))
        return {row["item_key"]: _item(row) for row in rows}

    async def newest_day(self, provider: str) -> date | None:
        """The last day of which the provider told."""
        [row] = await self._fetch("newest_day", provider)
        day: date | None = row["moved_on"]
        return day

    async def add_lines(self, provider: str, lines: Iterable[Item], run_id: UUID) -> None:
        """Keep lines of a file."""
        rows = (
            (provider, line.key, line.reference, line.amount_minor, line.currency, line.on, run_id)
            for line in lines
        )
        await self._execute_all("add_line", rows)

    async def ours(self, until: date, prefix: str) -> list[Item]:
        """What the ledger has, up to that day, without a counterpart."""
        rows = await self._fetch("ours", until, prefix)
        return [_item(row) for row in rows]

    async def theirs(self, provider: str) -> list[Item]:
        """What the provider told of, without a counterpart."""
        return [_item(row) for row in await self._fetch("theirs", provider)]

    async def add_matches(self, rows: Iterable[tuple[str, str, UUID, str, int, UUID]]) -> None:
        """Keep matches: side, key, match, kind, difference and run of each item."""
        await self._execute_all("add_match", rows)

    async def add(self, run: Reconciliation) -> None:
        """Keep a run."""
        await self._fetch("add_reconciliation", *astuple(run))

    async def list_differences(
        self, run_id: UUID, found: Sequence[tuple[UUID, Found]], checks: Sequence[str], at: datetime
    ) -> None:
        """Put what was found on the work list; clear what these checks did not find again."""
        still = [(each.check, each.subject, each.reason) for _, each in found]
        columns = [[row[at] for row in still] for at in range(3)]
        await self._fetch("clear_differences", list(checks), *columns, at)
        rows = ((key, run_id, each.check, each.subject, each.reason, at) for key, each in found)
        await self._execute_all("add_difference", rows)

    async def _fetch(self, name: str, *args: object) -> list[asyncpg.Record]:
        return await self._connection.fetch(SQL[name], *args, timeout=PATIENCE_S)

    async def _execute_all(self, name: str, rows: Iterable[tuple[object, ...]]) -> None:
        await self._connection.executemany(SQL[name], rows, timeout=PATIENCE_S)


def _item(row: asyncpg.Record) -> Item:
    return Item(
        row["item_key"], row["reference"], row["amount_minor"], row["currency"], row["moved_on"]
    )


def _run(row: asyncpg.Record) -> Reconciliation:
    return Reconciliation(**{**row, "kind": RunKind(row["kind"])})


def _difference(row: asyncpg.Record) -> Difference:
    return Difference(**{**row, "state": DifferenceState(row["state"])})
