import logging
from uuid import uuid4

import asyncpg
import pytest

from config.ledger import EvidenceSettings
from server.catch_up import chain_what_waits, chain_what_waits_at
from tests.support.history import fund

UNCHAINED = """
SELECT count(*) FROM ledger.event_log
WHERE sequence > (SELECT coalesce(max(sequence), 0) FROM ledger.chain)
"""


async def test_all_of_it_is_chained(pool: asyncpg.Pool, database_url: str) -> None:
    for _ in range(3):
        await fund(pool, uuid4(), 10)
    assert await pool.fetchval(UNCHAINED) == 3
    few = EvidenceSettings(batch_events=1)  # in several turns
    assert await chain_what_waits_at(database_url, few) > 3
    assert await pool.fetchval(UNCHAINED) == 0
    assert await chain_what_waits(pool, few) == 0


async def test_what_fails_is_said(pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture) -> None:
    await pool.execute("ALTER TABLE ledger.chain RENAME TO broken")
    with caplog.at_level(logging.WARNING):
        assert await chain_what_waits(pool, EvidenceSettings()) == 0
    assert "could not be chained: UndefinedTableError" in caplog.text


async def test_a_gap_is_not_waited_for_for_ever(
    pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.catch_up.PATIENCE_S", 0.2)
    async with pool.acquire() as other, other.transaction():
        await other.fetchval("SELECT ledger.next_batch()")  # a posting that has not committed
        await fund(pool, uuid4(), 10)
        await chain_what_waits(pool, EvidenceSettings())
    assert "TimeoutError" in caplog.text
