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
"""Most differences of one check in one run."""

ACQUIRE_S = 10.0
PATIENCE_S = 600.0


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
            async with self._pool.acquire(timeout=10) as connection, connection.transaction():
                await connection.execute("SET LOCAL statement_timeout = '10min'")
                await connection.fetch(SQL["reconcile_lock"], timeout=PATIENCE_S)
                yield ReconcileWork(connection)
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

    async def newest_scheduled(self) -> datetime | None:
        """When the last internal run began that nobody asked for by name."""
        rows = await self._fetch(SQL["newest_scheduled"])
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
            async with self._pool.acquire(timeout=10) as connection, connection.transaction():
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
    """A run's transaction."""

    def __init__(self, connection: PoolConnectionProxy) -> None:
        self._connection = connection

    async def check(self, name: str) -> list[Found]:
        """What one of CHECKS finds."""
        rows = await self._connection.fetch(SQL[f"check_{name}"], MOST_FOUND, timeout=PATIENCE_S)
        return [Found(name, row["subject"], row["reason"]) for row in rows]

    async def counted(self) -> dict[str, int]:
        """How many accounts and purchases there are."""
        [row] = await self._connection.fetch(SQL["counted"], timeout=PATIENCE_S)
        return dict(row)

    async def logged(self, first: int, last: int) -> dict[int, bytes]:
        """SHA-256 of the events of batches in [first, last], by sequence."""
        rows = await self._connection.fetch(SQL["logged"], first, last, timeout=PATIENCE_S)
        return {row["sequence"]: row["digest"] for row in rows}

    async def open_differences(self, check: str) -> list[Found]:
        """What of that check stands on the work list."""
        rows = await self._connection.fetch(SQL["open_differences"], check)
        return [Found(check, row["subject"], row["reason"]) for row in rows]

    async def scales(self) -> dict[str, int]:
        """Digits behind the point, by currency of the ledger."""
        return {
            row["currency"]: row["scale"] for row in await self._connection.fetch(SQL["scales"])
        }

    async def known(self, reconciliation_id: UUID) -> Reconciliation | None:
        """The run of this id."""
        row = await self._connection.fetchrow(SQL["reconciliation"], reconciliation_id)
        return None if row is None else _run(row)

    async def of_file(self, file_hash: bytes) -> Reconciliation | None:
        """The run of this file."""
        row = await self._connection.fetchrow(SQL["reconciliation_of_file"], file_hash)
        return None if row is None else _run(row)

    async def known_lines(self, provider: str, keys: Sequence[str]) -> dict[str, Item]:
        """Lines of these ids that came in an earlier file."""
        rows = await self._connection.fetch(SQL["known_lines"], provider, list(keys))
        return {row["item_key"]: _item(row) for row in rows}

    async def newest_day(self, provider: str) -> date | None:
        """The last day of which the provider told."""
        day: date | None = await self._connection.fetchval(SQL["newest_day"], provider)
        return day

    async def add_lines(
        self, provider: str, lines: Iterable[Item], reconciliation_id: UUID
    ) -> None:
        """Keep lines of a file."""
        await self._connection.executemany(
            SQL["add_line"],
            [
                (
                    provider,
                    line.key,
                    line.reference,
                    line.amount_minor,
                    line.currency,
                    line.on,
                    reconciliation_id,
                )
                for line in lines
            ],
        )

    async def ours(self, until: date, prefix: str) -> list[Item]:
        """What the ledger has, up to that day, without a counterpart."""
        rows = await self._connection.fetch(SQL["ours"], until, prefix, timeout=PATIENCE_S)
        return [_item(row) for row in rows]

    async def theirs(self, provider: str) -> list[Item]:
        """What the provider told of, without a counterpart."""
        return [_item(row) for row in await self._connection.fetch(SQL["theirs"], provider)]

    async def add_matches(self, rows: Iterable[tuple[str, str, UUID, str, int, UUID]]) -> None:
        """Keep matches: side, key, match, kind, difference and run of each item."""
        await self._connection.executemany(SQL["add_match"], list(rows))

    async def add(self, run: Reconciliation) -> None:
        """Keep a run."""
        await self._connection.execute(SQL["add_reconciliation"], *astuple(run))

    async def list_differences(
        self, run_id: UUID, found: Sequence[tuple[UUID, Found]], checks: Sequence[str], at: datetime
    ) -> None:
        """Put what was found on the work list; clear what these checks did not find again."""
        still = [(each.check, each.subject, each.reason) for _, each in found]
        columns = [[row[at] for row in still] for at in range(3)]
        await self._connection.execute(SQL["clear_differences"], list(checks), *columns, at)
        await self._connection.executemany(
            SQL["add_difference"],
            [(key, run_id, each.check, each.subject, each.reason, at) for key, each in found],
        )


def _item(row: asyncpg.Record) -> Item:
    return Item(
        row["item_key"], row["reference"], row["amount_minor"], row["currency"], row["moved_on"]
    )


def _run(row: asyncpg.Record) -> Reconciliation:
    return Reconciliation(**{**row, "kind": RunKind(row["kind"])})


def _difference(row: asyncpg.Record) -> Difference:
    return Difference(**{**row, "state": DifferenceState(row["state"])})
