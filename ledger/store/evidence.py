"""The chain, the checkpoints and everything that verification reads, in PostgreSQL.

Rows to hash are taken by COPY in binary format, which is their canonical encoding.
"""

import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg
from asyncpg.cursor import CursorFactory
from asyncpg.pool import PoolConnectionProxy

from config.sql import load_queries
from ledger.evidence.batches import Streams
from ledger.evidence.chainer import Head, Unchained
from ledger.evidence.chart_check import ChartRow
from ledger.evidence.checkpoints import Checkpoint
from ledger.evidence.encoding import copied_rows, split_rows
from ledger.evidence.holds import HoldRow
from ledger.evidence.links import GENESIS, Link, LinkKind
from ledger.evidence.replay import AccountRow
from ledger.store.calls import Connections

SQL = load_queries("ledger", "sql/evidence.sql")

LAST = 2**63 - 1
SNAPSHOT_BATCHES = 200
ACQUIRE_S = 5.0
PATIENCE_S = 3600.0
"""Of a query that reads all accounts, or all of something else."""

_LINK_COLUMNS = ("position", "kind", "sequence", "digest", "marks", "hash", "requests_until")
_NO_ROWS = memoryview(b"")


class EvidenceStore:
    """The tables of evidence, through the pool's connections; the errors are the driver's."""

    def __init__(self, pool: asyncpg.Pool, *, reads: Connections | None = None) -> None:
        """`reads`: where lists are read, which may be a little behind; left out, from the pool."""
        self._pool = pool
        self._reads = reads or pool

    # ---- chaining ----

    @asynccontextmanager
    async def turn(self) -> AsyncIterator["ChainTurn | None"]:
        """The end of the chain for one chainer at a time; None while another one has it."""
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="read_committed"),
        ):
            taken = await connection.fetchval(SQL["chain_lock"])
            yield ChainTurn(connection) if taken else None

    # ---- checkpoints ----

    async def head(self) -> Head:
        """The end of the chain."""
        async with self._pool.acquire() as connection:
            return await _head(connection)

    async def newest_checkpoint(self) -> Checkpoint | None:
        """The last one that was signed."""
        row = await self._pool.fetchrow(SQL["newest_checkpoint"])
        return None if row is None else Checkpoint(**row)

    async def checkpoints(self, *, before: int = LAST, limit: int = 10**6) -> list[Checkpoint]:
        """Checkpoints at lower positions than `before`, newest first; maybe a little behind."""
        async with self._reads.acquire(timeout=ACQUIRE_S) as connection:
            rows = await connection.fetch(SQL["checkpoints"], before, limit)
        return [Checkpoint(**row) for row in rows]

    async def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keep it; where one of its position is kept already, that one stays."""
        await self._pool.execute(
            SQL["add_checkpoint"],
            checkpoint.position,
            checkpoint.sequence,
            checkpoint.hash,
            checkpoint.signed_at,
            checkpoint.key_id,
            checkpoint.signature,
        )

    # ---- verifying ----

    async def links(self, after: int, limit: int) -> list[Link]:
        """Links behind position `after`, in order."""
        return [_link(row) for row in await self._fetch("links", after, limit)]

    async def batch_links(self, after: int, until: int) -> list[Link]:
        """Links of the batches with sequences in (after, until]."""
        return [_link(row) for row in await self._fetch("batch_links", after, until)]

    async def hashes_at(self, positions: Sequence[int]) -> dict[int, bytes]:
        """The hashes of the links at these positions."""
        rows = await self._fetch("hashes_at", list(positions))
        return {row["position"]: row["hash"] for row in rows}

    async def streams(self, after: int, until: int) -> Streams:
        """The batches with sequences in (after, until]."""
        async with self._patient() as connection:
            return await _streams(connection, after, until)

    async def seals(self, after: int, until: int) -> dict[int, list[memoryview]]:
        """The encoded seals of the links at positions in (after, until]."""
        async with self._patient() as connection:
            return await _by_position(connection, SQL["copy_seals"], after, until)

    async def references(self, after: int, until: int) -> dict[int, list[memoryview]]:
        """The encoded external references of the links at positions in (after, until]."""
        async with self._patient() as connection:
            return await _by_position(connection, SQL["copy_references"], after, until)

    async def uncovered_references(self, limit: int) -> list[str]:
        """External references that no link covers."""
        return [row["reference"] for row in await self._fetch("uncovered_references", limit)]

    async def request_links(self, after: int, limit: int) -> list[Link]:
        """Links of requests behind position `after`, in order."""
        return [_link(row) for row in await self._fetch("request_links", after, limit)]

    async def posted_requests(self, after: int, until: int) -> memoryview:
        """The encoded requests of the batches with sequences in (after, until]."""
        async with self._patient() as connection:
            return await _posted_requests(connection, after, until)

    async def unposted_requests(self, after: int, until: int) -> dict[int, list[memoryview]]:
        """The encoded requests that posted nothing of the links at positions in (after, until]."""
        async with self._patient() as connection:
            return await _by_position(connection, SQL["copy_unposted_requests"], after, until)

    async def chart(self) -> list[ChartRow]:
        """The chart of accounts."""
        return [ChartRow(**row) for row in await self._fetch("chart")]

    async def stray_seals(self, limit: int) -> list[tuple[UUID, int]]:
        """Seals at positions where no link covers seals."""
        rows = await self._fetch("stray_seals", limit)
        return [(row["account_id"], row["position"]) for row in rows]

    async def stray_reference_seals(self, limit: int) -> list[tuple[str, int]]:
        """Seals of references where no link covers them, or of references that are not there."""
        rows = await self._fetch("stray_reference_seals", limit)
        return [(row["reference"], row["position"]) for row in rows]

    async def stray_request_seals(self, limit: int) -> list[tuple[UUID, int]]:
        """As of references, of requests that posted nothing."""
        rows = await self._fetch("stray_request_seals", limit)
        return [(row["request_id"], row["position"]) for row in rows]

    async def unlike_their_seal(self, limit: int) -> list[tuple[UUID, str]]:
        """Accounts that are not as they were sealed, each with what is wrong."""
        rows = await self._fetch("unlike_their_seal", limit)
        return [(row["account_id"], row["problem"]) for row in rows]

    async def seals_of_another_kind(self, limit: int) -> list[tuple[UUID, int]]:
        """Accounts whose seals differ in what never changes, with the position of the newest."""
        rows = await self._fetch("seals_of_another_kind", limit)
        return [(row["account_id"], row["position"]) for row in rows]

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator["Snapshot"]:
        """The ledger at one moment."""
        async with self._patient("repeatable_read") as connection:
            yield Snapshot(connection)

    async def _fetch(self, query: str, *values: Any) -> list[asyncpg.Record]:
        async with self._patient() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(
                SQL[query], *values, timeout=PATIENCE_S
            )
            return rows

    @asynccontextmanager
    async def _patient(
        self, isolation: Literal["read_committed", "repeatable_read"] = "read_committed"
    ) -> AsyncIterator[PoolConnectionProxy]:
        """A connection whose statements the server lets take as long as they do."""
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation=isolation, readonly=True),
        ):
            await connection.execute("SET LOCAL statement_timeout = 0")
            yield connection


class ChainTurn:
    """The end of the chain, while its lock is held."""

    def __init__(self, connection: PoolConnectionProxy) -> None:
        self._connection = connection

    async def head(self) -> Head:
        """Where the chain ends."""
        return await _head(self._connection)

    async def unchained(self, after: int, limit: int) -> Unchained:
        """The first batches behind `after`."""
        # Two statements in this order: what ended before the first one is visible to the second.
        oldest_running = await self._connection.fetchval(SQL["oldest_running"])
        rows = await self._connection.fetch(SQL["unchained"], after, limit)
        return Unchained(
            oldest_running,
            tuple(row["sequence"] for row in rows),
            tuple(row["event_count"] for row in rows),
            rows[0]["posted_at"] if rows else None,
        )

    async def next_transaction(self) -> int:
        """The id of a transaction that begins now."""
        found: int = await self._connection.fetchval("SELECT pg_current_xact_id()::text::bigint")
        return found

    async def streams(self, after: int, until: int) -> Streams:
        """The batches with sequences in (after, until]."""
        return await _streams(self._connection, after, until)

    async def seal_accounts(self, position: int, limit: int) -> list[memoryview]:
        """Seal accounts that wait for it under the link at `position`; their encoded seals."""
        if not await self._connection.fetch(SQL["seal_accounts"], position, limit):
            return []
        return await self._sealed(SQL["copy_seals"], position)

    async def seal_references(self, position: int, limit: int) -> list[memoryview]:
        """Seal references that wait for it under the link at `position`; encoded."""
        if not await self._connection.fetch(SQL["seal_references"], position, limit):
            return []
        return await self._sealed(SQL["copy_references"], position)

    async def seal_requests(self, position: int, limit: int) -> list[memoryview]:
        """Seal requests that posted nothing and wait for it under the link at `position`."""
        if not await self._connection.fetch(SQL["seal_requests"], position, limit):
            return []
        return await self._sealed(SQL["copy_unposted_requests"], position)

    async def requests_portion(self, until: int, events: int) -> tuple[int, int]:
        """Batches up to `until` whose requests are not linked, the first that have about so many
        `events`: they are in (after, until].
        """
        after: int = await self._connection.fetchval(SQL["requests_head"]) or 0
        end = await self._connection.fetchval(SQL["requests_portion"], after, until, events)
        return after, after if end is None else end

    async def posted_requests(self, after: int, until: int) -> memoryview:
        """The encoded requests of the batches with sequences in (after, until]."""
        return await _posted_requests(self._connection, after, until)

    async def _sealed(self, query: str, position: int) -> list[memoryview]:
        found = await _by_position(self._connection, query, position - 1, position)
        return found.get(position, [])  # what waited may be gone again: that stops no chainer

    async def append(self, links: Sequence[Link]) -> None:
        """Add links at the end."""
        await self._connection.copy_records_to_table(
            "chain",
            schema_name="ledger",
            columns=_LINK_COLUMNS,
            records=[tuple(getattr(link, name) for name in _LINK_COLUMNS) for link in links],
        )


class Snapshot:
    """One moment of the ledger, on a connection whose transaction keeps it."""

    def __init__(self, connection: PoolConnectionProxy) -> None:
        self._connection = connection

    async def accounts(self) -> AsyncIterator[tuple[UUID, str, bool]]:
        """Every account: its id, its currency, and whether it is guarded."""
        async for row in self._connection.cursor(
            SQL["account_facts"], prefetch=5000, timeout=PATIENCE_S
        ):
            yield row["account_id"], row["currency"], row["guarded"]

    async def account_rows(self) -> AsyncIterator[AccountRow]:
        """Every account as it stands, with the sum of its open holds."""
        async for row in self._connection.cursor(
            SQL["account_rows"], prefetch=5000, timeout=PATIENCE_S
        ):
            yield AccountRow(**row)

    async def hold_rows(self) -> AsyncIterator[HoldRow]:
        """Every hold as it stands."""
        async for row in self._connection.cursor(
            SQL["hold_rows"], prefetch=5000, timeout=PATIENCE_S
        ):
            yield HoldRow(**row)

    async def scales(self) -> list[tuple[str, int]]:
        """Every currency with its scale."""
        rows = await self._connection.fetch(SQL["scales"], timeout=PATIENCE_S)
        return [(row["currency"], row["scale"]) for row in rows]

    async def descriptions(self) -> list[tuple[UUID, str]]:
        """Every account that has metadata, with its digest."""
        rows = await self._connection.fetch(SQL["descriptions"], timeout=PATIENCE_S)
        return [(row["account_id"], row["metadata_sha256"]) for row in rows]

    async def unlike_what_reverses(self, limit: int) -> list[tuple[UUID, str]]:
        """Reversals that are not what reverses comes to, each with what is wrong."""
        rows = await self._connection.fetch(SQL["unlike_what_reverses"], limit, timeout=PATIENCE_S)
        return [(row["transaction_id"], row["problem"]) for row in rows]

    async def uncovered_requests(self, limit: int) -> list[UUID]:
        """Requests that no link covers and none will."""
        rows = await self._connection.fetch(SQL["uncovered_requests"], limit, timeout=PATIENCE_S)
        return [row["request_id"] for row in rows]

    async def streams(self, after: int, until: int) -> Streams:
        """The batches with sequences in (after, until]."""
        return await _streams(self._connection, after, until)

    async def next_sequences(self, after: int) -> list[tuple[int, datetime]]:
        """The next some hundred sequences in the log behind `after`, and when they were posted."""
        rows = await self._connection.fetch(
            SQL["unchained"], after, SNAPSHOT_BATCHES, timeout=PATIENCE_S
        )
        return [(row["sequence"], row["posted_at"]) for row in rows]

    def _all(self, query: str) -> CursorFactory:
        return self._connection.cursor(SQL[query], prefetch=5000, timeout=PATIENCE_S)


async def _head(connection: PoolConnectionProxy) -> Head:
    row = await connection.fetchrow(SQL["chain_head"])
    return Head(0, 0, GENESIS) if row is None else Head(**row)


async def _streams(connection: PoolConnectionProxy, after: int, until: int) -> Streams:
    return Streams(
        await _copy(connection, SQL["copy_log"], after, until),
        await _copy(connection, SQL["copy_transactions"], after, until),
        await _copy(connection, SQL["copy_entries"], after, until),
    )


async def _posted_requests(connection: PoolConnectionProxy, after: int, until: int) -> memoryview:
    times = await connection.fetchrow(SQL["request_times"], after, until, timeout=PATIENCE_S)
    if times is None or times["first"] is None:
        return _NO_ROWS
    return copied_rows(await _copy(connection, SQL["copy_requests"], after, until, *times))


async def _by_position(
    connection: PoolConnectionProxy, query: str, after: int, until: int
) -> dict[int, list[memoryview]]:
    found: dict[int, list[memoryview]] = {}
    for position, row in split_rows(copied_rows(await _copy(connection, query, after, until))):
        found.setdefault(position, []).append(row)
    return found


async def _copy(connection: PoolConnectionProxy, query: str, *within: int | datetime) -> bytes:
    buffer = io.BytesIO()
    await connection.copy_from_query(
        query, *within, output=buffer, format="binary", timeout=PATIENCE_S
    )
    return buffer.getvalue()


def _link(row: asyncpg.Record) -> Link:
    return Link(**{**row, "kind": LinkKind(row["kind"])})
