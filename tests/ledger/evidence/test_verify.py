"""The verifier's own ways: windows, ranges, progress, and batches that are still to be chained.

What it finds is in test_tampering.py.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from config.ledger import EvidenceSettings
from ledger.evidence import verify as module
from ledger.evidence.chainer import Chainer
from ledger.evidence.verify import Progress, Verifier
from ledger.evidence.windows import Range
from ledger.store.evidence import EvidenceStore
from tests.support.history import fund, give, reserve


def clock():
    return datetime.now(UTC)


@pytest.fixture
def evidence(pool):
    return EvidenceStore(pool)


@pytest.fixture
async def chained(pool, evidence):
    """A history of 13 batches, all of them in the chain; the sequences."""
    payer, payee = uuid4(), uuid4()
    await fund(pool, payer, 1000)
    for _ in range(10):
        await give(pool, payer, payee, 20)
    await reserve(pool, payer, 100)
    await fund(pool, payee, 5)
    await Chainer(evidence, EvidenceSettings(), clock=clock).catch_up()
    rows = await pool.fetch("SELECT sequence FROM ledger.event_log ORDER BY sequence")
    return [row[0] for row in rows]


async def test_an_empty_ledger_is_sound(evidence):
    report = await Verifier(evidence, keys={}, now=clock()).verify()
    assert report.sound
    assert (report.position, report.head, report.batches) == (0, bytes(32), 0)


async def test_small_windows_find_the_same(evidence, chained, monkeypatch):
    whole = await Verifier(evidence, keys={}, now=clock()).verify()
    monkeypatch.setattr(module, "WINDOW_ROWS", 3)
    monkeypatch.setattr(module, "PAGE_LINKS", 2)
    told: list[Progress] = []
    report = await Verifier(evidence, keys={}, now=clock(), progress=told.append).verify()
    assert report == whole
    assert report.batches == 13
    replayed = [each for each in told if each.step == "replay"]
    assert len(replayed) > 3
    assert [each.done for each in replayed] == sorted(each.done for each in replayed)
    assert replayed[-1].done == replayed[-1].total


async def test_a_range_is_replayed_alone(evidence, chained):
    verifier = Verifier(evidence, keys={}, now=clock())
    assert (await verifier.verify(Range(chained[3], chained[6]))).batches == 4
    assert (await Verifier(evidence, keys={}, now=clock()).verify(Range(first=chained[-1]))).sound
    nothing = await Verifier(evidence, keys={}, now=clock()).verify(Range(10**9, 10**9 + 1))
    assert (nothing.sound, nothing.batches) == (True, 0)


async def test_a_range_finds_what_is_in_it_alone(pool, stores, database_url, evidence, chained):

    root = await asyncpg.connect(
        f"{stores[0].admin_url.rpartition('/')[0]}/{database_url.rpartition('/')[2]}"
    )
    await root.execute("SET session_replication_role = replica")
    await root.execute(
        "UPDATE ledger.posting_transactions SET memo = 'forged' WHERE batch = $1", chained[4]
    )
    await root.close()
    verifier = Verifier(evidence, keys={}, now=clock())
    report = await verifier.verify(Range(chained[2], chained[8]))
    [finding] = report.findings
    assert finding.table == "transactions"
    assert "changed" in finding.problem
    assert (await Verifier(evidence, keys={}, now=clock()).verify(Range(last=chained[3]))).sound


async def test_what_was_just_posted_may_wait_to_be_chained(pool, evidence, chained):
    await fund(pool, uuid4(), 7)
    report = await Verifier(evidence, keys={}, now=clock()).verify()
    assert (report.sound, report.unchained, report.batches) == (True, 1, 14)
    later = clock() + timedelta(seconds=11)
    report = await Verifier(evidence, keys={}, now=later).verify()
    assert [finding.table for finding in report.findings] == ["event_log"]
    assert "not in the chain" in report.findings[0].problem


async def test_what_is_not_chained_is_replayed_too(pool, evidence, chained, monkeypatch):
    monkeypatch.setattr("ledger.store.evidence.SNAPSHOT_BATCHES", 2)
    for _ in range(5):
        await fund(pool, uuid4(), 7)
    report = await Verifier(evidence, keys={}, now=clock()).verify()
    assert (report.sound, report.unchained, report.batches) == (True, 5, 18)


async def test_a_ledger_that_is_written_to_all_the_time_is_sound(pool, evidence, chained):

    chainer = Chainer(evidence, EvidenceSettings(), clock=clock)

    async def write():
        for _ in range(25):
            await fund(pool, uuid4(), 7)
            await chainer.chain_once()

    async def verify():
        return [await Verifier(evidence, keys={}, now=clock()).verify() for _ in range(5)]

    _, reports = await asyncio.gather(write(), verify())
    assert [report.findings for report in reports] == [()] * 5
