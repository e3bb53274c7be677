"""The canonical encoding covers the tables whole, and an independent reading of docs agrees."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config.ledger import EvidenceSettings
from ledger.evidence.chainer import Chainer
from ledger.evidence.checkpoints import sign
from ledger.store.evidence import SQL, EvidenceStore
from tests.support.history import fund, give

VERIFY_SQL = Path(__file__).parents[3] / "docs" / "verify.sql"


@pytest.fixture
def evidence(pool):
    return EvidenceStore(pool)


@pytest.fixture
async def history(pool, evidence):
    ann, ben = uuid4(), uuid4()
    await fund(pool, ann, 1000, memo="über\nzwei Zeilen", reference="Zürich-1")
    await fund(pool, ben, 5, reference="acme-2")
    for amount in (100, 50):
        await give(pool, ann, ben, amount)
    await Chainer(evidence, EvidenceSettings(), clock=lambda: datetime.now(UTC)).catch_up()


@pytest.mark.parametrize(
    ("query", "table", "apart"),
    [
        ("copy_log", "event_log", set()),
        ("copy_transactions", "transactions", set()),
        ("copy_entries", "journal_entries", set()),
        ("copy_references", "external_references", set()),
        ("copy_seals", "account_seals", set()),
        ("copy_seals", "accounts", {"balance_minor", "held_minor", "moved_at"}),
    ],
)
async def test_every_column_is_hashed(pool, query, table, apart):
    """A new column needs a new version of the encoding; balances are replayed instead."""
    rows = await pool.fetch(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = 'ledger' AND table_name = $1",
        table,
    )
    missing = {row[0] for row in rows} - apart - set(_columns(SQL[query]))
    assert missing == set()


def _columns(query):
    listed = query.partition("SELECT")[2].partition("FROM")[0]
    return [column.strip().partition("::")[0] for column in listed.split(",")]


async def test_the_chain_in_plain_sql_is_the_same(pool, evidence, history):
    links = await evidence.links(0, 100)
    assert [each.kind for each in links] == ["seals", "references", *["batch"] * 4]
    script = VERIFY_SQL.read_text("utf-8")
    assert await pool.fetch(script) == []
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "CREATE TEMP TABLE chain AS SELECT * FROM ledger.chain;"
            "UPDATE chain SET digest = set_byte(digest, 0, 255 - get_byte(digest, 0))"
            " WHERE position = 3"
        )
        found = await connection.fetch(script.replace("ledger.chain", "pg_temp.chain"))
    assert [(row["position"], row["problem"]) for row in found] == [
        (3, "digest"),
        (3, "hash"),
    ]


async def test_checkpoints_are_kept_once_a_position(evidence):
    key = Ed25519PrivateKey.generate()
    at = datetime(2026, 1, 31, tzinfo=UTC)
    made = [sign(key, position=n, sequence=n, head=bytes([n]) * 32, at=at) for n in (1, 2, 3)]
    assert await evidence.newest_checkpoint() is None
    for each in made:
        await evidence.add_checkpoint(each)
    await evidence.add_checkpoint(sign(key, position=3, sequence=9, head=bytes(32), at=at))
    assert await evidence.newest_checkpoint() == made[2]
    assert await evidence.checkpoints() == made[::-1]
    assert await evidence.checkpoints(before=3, limit=1) == [made[1]]


async def test_hashes_by_position(evidence, history):
    links = await evidence.links(0, 100)
    assert await evidence.hashes_at([2, 4, 77]) == {2: links[1].hash, 4: links[3].hash}
    head = await evidence.head()
    assert (head.position, head.hash) == (6, links[5].hash)
