"""The canonical encoding covers the tables whole, and an independent reading of docs agrees."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config.ledger import EvidenceSettings
from ledger.evidence.chainer import Chainer
from ledger.evidence.checkpoints import sign
from ledger.evidence.verify import Verifier
from ledger.store.evidence import SQL, EvidenceStore
from server.database import create_pool
from tests.support.evidence import link_no_requests
from tests.support.history import fund, give, reserve

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
    await reserve(pool, ann, 10)
    await Chainer(evidence, EvidenceSettings(), clock=lambda: datetime.now(UTC)).catch_up()


@pytest.mark.parametrize(
    ("query", "table", "apart"),
    [
        ("copy_log", "event_log", set()),
        ("copy_transactions", "transactions", set()),
        ("copy_entries", "journal_entries", set()),
        ("copy_references", "external_references", set()),
        ("copy_requests", "requests", {"answer"}),
        ("copy_unposted_requests", "requests", {"answer", "transaction_id"}),
        ("copy_seals", "account_seals", set()),
        ("copy_seals", "accounts", {"balance_minor", "held_minor", "moved_at"}),
    ],
)
async def test_every_column_is_hashed(pool, query, table, apart):
    """A new column needs a new version of the encoding; balances are replayed instead, and answers
    are emptied after some time. What posted nothing has no transaction."""
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
    assert [each.kind for each in links] == ["seals", "references", *["batch"] * 5, "requests"]
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


async def test_plain_sql_cuts_requests_up_by_link_as_the_chain_does(pool, evidence, monkeypatch):
    """Links that were made later cover batches of long before, and some cover none."""
    ann = uuid4()
    small = Chainer(evidence, EvidenceSettings(batch_events=2), clock=lambda: datetime.now(UTC))
    with monkeypatch.context() as before:
        before.setattr("ledger.evidence.chainer._link_requests", link_no_requests)
        for _ in range(5):
            await fund(pool, ann, 10)
        await small.catch_up()
    for _ in range(5):
        await reserve(pool, ann, 1)
    await small.catch_up()
    links = await evidence.request_links(0, 100)
    assert [link.requests_until for link in links] == [2, 4, 6, 8, 10]
    assert [link.rows for link in links] == [4, 4, 2, 0, 0]
    assert links[0].sequence > 2
    assert await pool.fetch(VERIFY_SQL.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("until", "events", "end"),
    [(9, 100, 6), (4, 100, 4), (9, 9, 3), (9, 8, 2), (9, 3, 1), (9, 2, 1), (0, 100, 0)],
)
async def test_a_portion_has_about_so_many_events(pool, evidence, until, events, end):
    await pool.execute(
        "INSERT INTO ledger.event_log (sequence, writer, event_count, posted_at, events)"
        " SELECT sequence, 0, 3, now(), '[]' FROM unnest(ARRAY[1, 2, 3, 4, 6]) sequence"
    )
    async with evidence.turn() as turn:
        assert await turn.requests_portion(until, events) == (0, end)


async def test_plain_sql_finds_requests_that_are_not_covered(pool, evidence, history):
    script = VERIFY_SQL.read_text("utf-8")
    await fund(pool, ann := uuid4(), 1)
    await reserve(pool, ann, 1)
    problems = [row["problem"] for row in await pool.fetch(script)]
    assert [problem.rpartition(" ")[0] for problem in problems] == [
        *["this batch is not in the"] * 2,
        *["no link covers request"] * 2,
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
    assert (head.position, head.hash) == (8, links[7].hash)


@pytest.mark.parametrize(
    "query",
    [
        *("links", "batch_links", "request_links", "chart", "unlike_their_seal", "account_facts"),
        *(
            "account_rows",
            "hold_rows",
            "scales",
            "copy_seals",
            "copy_references",
            "copy_log",
            "copy_transactions",
        ),
        *("copy_entries", "copy_requests", "copy_unposted_requests", "request_times"),
    ],
)
async def test_a_verification_outlives_what_a_statement_may_take(
    evidence, history, database_url, monkeypatch, query
):
    monkeypatch.setattr("server.database.STATEMENT_TIMEOUT_MS", 500)
    slow = SQL[query].replace("FROM ledger.", "FROM (SELECT pg_sleep(0.6)) slept, ledger.", 1)
    assert slow != SQL[query]
    monkeypatch.setitem(SQL, query, slow)
    impatient = await create_pool(database_url)
    verifier = Verifier(EvidenceStore(impatient), keys={}, now=datetime.now(UTC))
    report = await verifier.verify()
    assert (report.findings, report.batches) == ((), 5)
    await impatient.close()
