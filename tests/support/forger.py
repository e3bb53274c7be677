"""A superuser whom nothing stops, in a ledger with everything in it, and who has to notice."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from config.ledger import EvidenceSettings
from ledger.evidence.chainer import Chainer
from ledger.evidence.checkpoints import sign
from ledger.evidence.key_ring import KeyRing, add_key
from ledger.evidence.verify import Report, Verifier
from ledger.store.evidence import EvidenceStore
from tests.support.history import capture, fund, give, reserve, reverse, send, void

TABLES = {
    "event_log": "sequence",
    "posting_transactions": "transaction_id",
    "posting_entries": "entry_id",
    "gift_entries": "payer_entry_id",
    "accounts": "account_id",
    "account_seals": "account_id",
    "chain": "position",
    "checkpoints": "position",
    "reversals": "transaction_id",
    "external_references": "reference",
    "reference_seals": "reference",
    "requests": "request_id",
    "request_seals": "request_id",
    "holds": "hold_id",
    "chart": "code",
    "currencies": "currency",
}
SHOWN_BY = {
    "posting_transactions": ("transactions",),
    "posting_entries": ("journal_entries",),
    "gift_entries": ("journal_entries", "transactions"),
    "reference_seals": ("external_references", "reference_seals"),
    "request_seals": ("requests", "request_seals"),
}
"""What findings name, where it is not the table: a view of it, or what is sealed."""
PARTED = ("posting_entries", "gift_entries", "event_log")
"""By months."""
NOT_COVERED = {("requests", "answer")}
"""It is emptied after some time."""
IN_A_YEAR = datetime.now(UTC) + timedelta(days=365)


@dataclass
class Forger:
    """A superuser in the test's own database, and the verification that has to notice."""

    root: asyncpg.Connection
    evidence: EvidenceStore
    ring: KeyRing

    async def verify(self, **arguments: Any) -> Report:
        verifier = Verifier(self.evidence, keys=self.ring.trusted, now=IN_A_YEAR, **arguments)
        return await verifier.verify()

    async def keep(self) -> None:
        """Remember every row."""
        await self.root.execute("CREATE SCHEMA kept")
        for table in TABLES:
            await self.root.execute(f"CREATE TABLE kept.{table} AS TABLE ledger.{table}")

    async def undo(self, table: str) -> None:
        """Put back every row of a table."""
        async with self.root.transaction():
            await self.root.execute(f"DELETE FROM ledger.{table}")
            await self.root.execute(f"INSERT INTO ledger.{table} TABLE kept.{table}")

    async def columns(self, table: str) -> dict[str, str]:
        rows = await self.root.fetch(
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = 'ledger' AND table_name = $1 ORDER BY ordinal_position",
            table,
        )
        return {
            row["column_name"]: row["data_type"]
            for row in rows
            if (table, row["column_name"]) not in NOT_COVERED
        }

    async def keys(self, table: str) -> list[Any]:
        key = TABLES[table]
        rows = await self.root.fetch(f"SELECT {key} FROM ledger.{table} ORDER BY {key}")
        return [row[0] for row in rows]


@pytest.fixture
async def forger(stores, database_url, pool, tmp_path) -> AsyncIterator[Forger]:
    """A history over several months, chained and signed; checks and triggers are out of the way."""
    ann, ben, cleo = uuid4(), uuid4(), uuid4()
    await pool.execute("INSERT INTO ledger.currencies VALUES ('EURO', 2)")
    await fund(pool, ann, 1000, memo="a memo", description="Coins", reference="acme-1")
    await give(pool, ann, ben, 100)
    await send(pool, ann, ben, 30, fee_minor=3)
    await reserve(pool, ann, 50, reason="payout", metadata={"b": 1, "a": "ü"})
    await reserve(pool, ann, 20)
    await capture(pool, await newest_hold(pool), 5)
    root = await asyncpg.connect(
        f"{stores[0].admin_url.rpartition('/')[0]}/{database_url.rpartition('/')[2]}"
    )
    await root.execute("SET session_replication_role = replica")
    await two_months_back(root)
    evidence = EvidenceStore(pool)
    chainer = Chainer(evidence, EvidenceSettings(), clock=lambda: datetime.now(UTC))
    await chainer.catch_up()
    for payee in (ben, cleo, cleo):
        await give(pool, ann, payee, 70)
    await send(pool, ann, cleo, 11, fee_minor=0)
    await send(pool, ann, ben, 12, fee_minor=12)
    await fund(pool, uuid4(), 5, reference="Zürich-3")
    await reserve(pool, ann, 30)
    for close in (void, capture):
        await reserve(pool, ann, 10)
        await close(pool, await newest_hold(pool))
    for amount, shortfall in ((40, "refuse"), (50, "house")):
        gift = await give(pool, ann, ben, amount, kind="gift")
        for part in (10, 20):
            await reverse(pool, gift, part, shortfall)
    add_key(tmp_path / "keys", now=datetime.now(UTC))
    ring = KeyRing.read(tmp_path / "keys")
    for _ in range(2):
        await chainer.catch_up()
        end = await evidence.head()
        assert ring.signing is not None
        await evidence.add_checkpoint(
            sign(
                ring.signing,
                position=end.position,
                sequence=end.sequence,
                head=end.hash,
                at=datetime.now(UTC),
            )
        )
        await give(pool, ann, ben, 30, reference=f"acme-{uuid4()}")
    await chainer.catch_up()
    for row in await root.fetch(
        "SELECT conrelid::regclass AS of, conname FROM pg_constraint"
        " WHERE contype = 'c' AND connamespace = 'ledger'::regnamespace AND conislocal"
    ):
        await root.execute(f'ALTER TABLE {row["of"]} DROP CONSTRAINT "{row["conname"]}"')
    await root.execute("DROP INDEX ledger.one_link_a_batch, ledger.gift_entries_of_transaction")
    forger = Forger(root, evidence, ring)
    await forger.keep()
    yield forger
    await root.close()


async def newest_hold(pool: asyncpg.Pool) -> UUID:
    found: UUID = await pool.fetchval(
        "SELECT hold_id FROM ledger.holds ORDER BY created_at DESC LIMIT 1"
    )
    return found


async def two_months_back(root: asyncpg.Connection) -> None:
    """Let what was posted so far have been posted two months ago."""
    await root.execute("SELECT ledger.make_partitions(now() - interval '2 months', now())")
    for table in (*PARTED, "posting_transactions", "requests"):
        await root.execute(f"UPDATE ledger.{table} SET posted_at = posted_at - interval '2 months'")
    await root.execute(
        "UPDATE ledger.holds SET created_at = created_at - interval '2 months',"
        " closed_at = closed_at - interval '2 months'"
    )
    await root.execute(
        "UPDATE ledger.accounts SET moved_at = moved_at - interval '2 months'"
        " WHERE moved_at > 'epoch'"
    )


def names(report: Report, table: str, *rows: str) -> bool:
    """Whether the first finding names the table, and one of the rows where any are given."""
    first = report.findings[0] if report.findings else None
    return (
        first is not None
        and first.table in SHOWN_BY.get(table, (table,))
        and (not rows or any(f"{first.row} ".startswith(f"{row} ") for row in rows))
    )
