"""External references in the chain: those of before it knew them, and forged seals of them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest

from config.ledger import EvidenceSettings
from ledger.evidence.chainer import Chainer
from ledger.evidence.verify import Report, Verifier
from ledger.store.evidence import EvidenceStore
from server.migrations import Migration
from tests.support.history import fund
from tests.support.old_ledger import ledger_before

CHAINED_SINCE = 40


async def chained(pool: asyncpg.Pool) -> list[str]:
    """Chain what is there; the kinds of all links but those of requests."""
    evidence = EvidenceStore(pool)
    await Chainer(evidence, EvidenceSettings(), clock=lambda: datetime.now(UTC)).catch_up()
    kinds = [link.kind.value for link in await evidence.links(0, 100)]
    return [kind for kind in kinds if kind != "requests"]


async def verified(pool: asyncpg.Pool) -> Report:
    return await Verifier(EvidenceStore(pool), keys={}, now=datetime.now(UTC)).verify()


@pytest.fixture
async def old(stores) -> AsyncIterator[tuple[asyncpg.Pool, list[Migration]]]:
    """A ledger before references were chained, and the migrations that are still to come."""
    async with ledger_before(CHAINED_SINCE, stores[0]) as found:
        yield found


async def test_references_of_before_are_chained_too(old):
    pool, to_come = old
    before = await fund(pool, uuid4(), 10, reference="acme-1")
    for each in to_come:
        await pool.execute(each.sql)
    await fund(pool, uuid4(), 10, reference="acme-2")
    assert await chained(pool) == ["seals", "references", "batch", "batch"]
    rows = (await EvidenceStore(pool).references(0, 100))[2]
    assert len(rows) == 2
    assert before.bytes in rows[0].tobytes()
    assert (await verified(pool)).sound


async def test_a_reference_is_covered_once_and_soon(pool):
    await fund(pool, uuid4(), 10)
    assert "references" not in await chained(pool)
    await fund(pool, uuid4(), 10, reference="acme-1")
    assert (await verified(pool)).sound  # it waits
    kinds = await chained(pool)
    assert kinds[-2:] == ["references", "batch"] or kinds[-3:] == ["seals", "references", "batch"]
    assert await chained(pool) == kinds


@pytest.mark.parametrize(
    "forge",
    [
        "DELETE FROM ledger.reference_seals WHERE reference = 'acme-1'",
        "UPDATE ledger.reference_seals SET position = 1 WHERE reference = 'acme-1'",
        "UPDATE ledger.reference_seals SET position = position + 100",
        """WITH added AS (
               INSERT INTO ledger.external_references SELECT 'forged', transaction_id
               FROM ledger.transactions LIMIT 1)
           INSERT INTO ledger.reference_seals VALUES ('forged', 1)""",
        """WITH added AS (
               INSERT INTO ledger.external_references SELECT 'forged', transaction_id
               FROM ledger.transactions LIMIT 1)
           INSERT INTO ledger.reference_seals VALUES ('forged', 2)""",
    ],
)
async def test_forged_seals_are_found(pool, stores, database_url, forge):
    for number in range(2):
        await fund(pool, uuid4(), 10, reference=f"acme-{number}")
    assert (await chained(pool))[:2] == ["seals", "references"]
    root = await asyncpg.connect(
        f"{stores[0].admin_url.rpartition('/')[0]}/{database_url.rpartition('/')[2]}"
    )
    await root.execute("SET session_replication_role = replica")
    await root.execute(forge)
    await root.close()
    report = await verified(pool)
    assert report.findings[0].table == "external_references", report.findings
