"""Requests in the chain: of before it knew them, such as post nothing, and forged seals."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest

from config.ledger import EvidenceSettings
from ledger.evidence.chainer import Chainer, Progress
from ledger.evidence.links import Link
from ledger.evidence.verify import Report, Verifier
from ledger.evidence.windows import Range
from ledger.store.evidence import EvidenceStore
from server.database import create_pool
from server.grants import APP
from server.migrations import Migration
from tests.support.evidence import link_no_requests
from tests.support.history import fund, give, reserve
from tests.support.old_ledger import ledger_before

CHAINED_SINCE = 45
EVERYTHING = Range()
LONG_AGO = "now() - interval '1 year'"


def chainer(pool: asyncpg.Pool, **settings: int) -> Chainer:
    return Chainer(
        EvidenceStore(pool), EvidenceSettings(**settings), clock=lambda: datetime.now(UTC)
    )


async def linked(pool: asyncpg.Pool) -> list[Link]:
    """The links of requests, once everything is linked."""
    await chainer(pool).catch_up()
    return await EvidenceStore(pool).request_links(0, 100)


async def verified(pool: asyncpg.Pool, batches: Range = EVERYTHING) -> Report:
    verifier = Verifier(EvidenceStore(pool), keys={}, now=datetime.now(UTC))
    return await verifier.verify(batches)


async def sealed(pool: asyncpg.Pool) -> set[UUID]:
    """Ids of the requests that posted nothing and that a link covers."""
    rows = await EvidenceStore(pool).unposted_requests(0, 1000)
    return {UUID(bytes=row[38:54].tobytes()) for each in rows.values() for row in each}


@pytest.fixture
async def old(stores) -> AsyncIterator[tuple[asyncpg.Pool, list[Migration]]]:
    """A ledger before requests were chained, and the migrations that are still to come."""
    async with ledger_before(CHAINED_SINCE, stores[0]) as found:
        yield found


async def upgrade(pool: asyncpg.Pool, to_come: list[Migration]) -> None:
    for each in to_come:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(each.sql)


@pytest.fixture
async def root(pool, stores, database_url) -> AsyncIterator[asyncpg.Connection]:
    """A superuser in the test's own database whom no trigger stops."""
    connection = await asyncpg.connect(
        f"{stores[0].admin_url.rpartition('/')[0]}/{database_url.rpartition('/')[2]}"
    )
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


# ---- batches ----


async def test_each_request_is_that_of_its_batch(pool):
    await fund(pool, ann := uuid4(), 1000)
    [first] = await linked(pool)
    assert (first.requests_until, first.rows) == (first.sequence, 1)
    for _ in range(3):
        await give(pool, ann, uuid4(), 10)
    [_, second] = await linked(pool)
    assert (second.requests_until, second.rows) == (second.sequence, 3)
    assert second.sequence == first.sequence + 3
    rows = await EvidenceStore(pool).posted_requests(first.sequence, second.sequence)
    assert len(rows) == 3 * 122


async def test_batches_without_requests_are_passed(pool, monkeypatch):
    await fund(pool, uuid4(), 1)
    await pool.execute(
        "INSERT INTO ledger.event_log (sequence, writer, event_count, posted_at, events)"
        " SELECT ledger.next_batch(), 0, 1, now(), '[]'"
    )
    [link] = await linked(pool)
    assert (link.rows, link.requests_until) == (1, link.sequence)
    await pool.execute(
        "INSERT INTO ledger.event_log (sequence, writer, event_count, posted_at, events)"
        " SELECT ledger.next_batch(), 0, 1, now(), '[]'"
    )
    [_, link] = await linked(pool)
    assert (link.rows, link.requests_until) == (0, link.sequence)


async def test_what_is_linked_is_not_linked_again(pool):
    await fund(pool, ann := uuid4(), 10)
    await reserve(pool, ann, 1)
    links = await linked(pool)
    assert await chainer(pool).chain_once() is Progress.CAUGHT_UP
    assert await linked(pool) == links


async def test_a_turn_that_breaks_off_leaves_everything_for_the_next(pool, monkeypatch):
    await fund(pool, ann := uuid4(), 10)
    await reserve(pool, ann, 1)

    async def broken(turn, links):
        assert [link.kind for link in links][-1] == "requests"
        raise ConnectionError("away")

    with monkeypatch.context() as away:
        away.setattr("ledger.store.evidence.ChainTurn.append", broken)
        with pytest.raises(ConnectionError):
            await chainer(pool).chain_once()
    assert await pool.fetchval("SELECT count(*) FROM ledger.request_seals") == 0
    [link] = await linked(pool)
    assert link.rows == 2
    assert (await verified(pool)).sound


# ---- what posts nothing ----


async def test_what_posts_nothing_is_covered_once_and_soon(pool):
    await fund(pool, ann := uuid4(), 10)
    held = {await reserve(pool, ann, 1) for _ in range(3)}
    assert (await verified(pool)).sound  # they wait
    [link] = await linked(pool)
    assert link.rows == 4
    assert await sealed(pool) == held
    assert await pool.fetchval("SELECT count(*) FROM ledger.unsealed_requests") == 0
    assert (await verified(pool)).sound


async def test_a_void_is_covered(pool):
    await fund(pool, ann := uuid4(), 10)
    await reserve(pool, ann, 1)
    hold_id = await pool.fetchval("SELECT hold_id FROM ledger.holds")
    request = uuid4()
    await pool.execute("SELECT ledger.void_hold($1, $2, $3, $4)", ann, request, b"v" * 32, hold_id)
    await linked(pool)
    assert request in await sealed(pool)


async def test_a_full_queue_is_worked_off_in_turns(pool):
    await fund(pool, ann := uuid4(), 10)
    held = {await reserve(pool, ann, 1) for _ in range(5)}
    await pool.execute("CREATE TABLE aside AS TABLE ledger.unsealed_requests")
    await pool.execute("DELETE FROM ledger.unsealed_requests")
    await chainer(pool).catch_up()
    assert await sealed(pool) == set()
    await pool.execute(
        "INSERT INTO ledger.unsealed_requests (caller_id, request_id)"
        " SELECT caller_id, request_id FROM aside"
    )
    await chainer(pool, batch_events=2).catch_up()
    assert await sealed(pool) == held
    assert (await verified(pool)).sound


async def test_what_is_gone_before_it_is_sealed_stops_nothing(pool, root):
    await fund(pool, ann := uuid4(), 10)
    await linked(pool)
    await root.execute(
        "DELETE FROM ledger.requests WHERE request_id = $1", await reserve(pool, ann, 1)
    )
    await fund(pool, ann, 10)
    [_, link] = await linked(pool)
    assert (link.rows, link.requests_until) == (1, 3)
    [finding] = (await verified(pool)).findings
    assert finding.table == "request_seals"
    assert "gone" in finding.problem


async def test_gifts_queue_nothing(pool):
    await fund(pool, ann := uuid4(), 10)
    await give(pool, ann, uuid4(), 10)
    assert await pool.fetchval("SELECT count(*) FROM ledger.unsealed_requests") == 0


# ---- ledgers that are older ----


async def test_requests_of_before_are_chained_bit_by_bit(pool, monkeypatch):
    with monkeypatch.context() as before:
        before.setattr("ledger.evidence.chainer._link_requests", link_no_requests)
        await fund(pool, ann := uuid4(), 1000)
        for _ in range(6):
            await give(pool, ann, uuid4(), 10)
        await chainer(pool).catch_up()
    assert (await verified(pool)).sound
    small = chainer(pool, batch_events=3)
    assert await small.chain_once() is Progress.MORE
    await give(pool, ann, uuid4(), 10)  # while older ones wait
    assert (await verified(pool)).sound
    await small.catch_up()
    links = await linked(pool)
    assert [(link.requests_until, link.sequence, link.rows) for link in links] == [
        (3, 7, 3),
        (6, 8, 3),
        (8, 8, 2),
    ]
    assert (await verified(pool)).sound


async def test_a_chainer_that_is_older_does_no_harm(pool, monkeypatch):
    await fund(pool, ann := uuid4(), 1000)
    for turn in range(6):
        await give(pool, ann, uuid4(), 10)
        with monkeypatch.context() as now:
            if turn % 2:
                now.setattr("ledger.evidence.chainer._link_requests", link_no_requests)
            await chainer(pool).catch_up()
        assert (await verified(pool)).sound
    links = await linked(pool)
    assert sum(link.rows for link in links) == 7
    assert (await verified(pool)).sound


async def test_an_upgrade_queues_what_posted_nothing(old):
    pool, to_come = old
    await fund(pool, ann := uuid4(), 10)
    held = {await reserve(pool, ann, 1)}
    await pool.execute("ALTER TABLE ledger.requests DISABLE TRIGGER USER")
    await pool.execute(
        f"UPDATE ledger.requests SET posted_at = {LONG_AGO} WHERE transaction_id IS NULL"
    )
    held |= {await reserve(pool, ann, 1)}
    await upgrade(pool, to_come)
    held |= {await reserve(pool, ann, 1)}
    links = await linked(pool)
    assert await sealed(pool) == held
    assert sum(link.rows for link in links) == 4
    assert (await verified(pool)).sound


async def test_who_posts_during_an_upgrade_is_not_forgotten(old):
    """By a server of before: one that is in the middle of it, and one that comes meanwhile."""
    pool, to_come = old
    await fund(pool, ann := uuid4(), 10)
    async with pool.acquire() as early:
        await early.execute("BEGIN")
        held = {await reserve(early, ann, 1)}
        upgrading = asyncio.create_task(upgrade(pool, to_come))
        await waiting_for_holds(pool, 1)
        late = asyncio.create_task(reserve(pool, ann, 1))
        await waiting(pool, 2)
        await early.execute("COMMIT")
    await upgrading
    held |= {await late}
    await linked(pool)
    assert await sealed(pool) == held
    assert (await verified(pool)).sound


async def test_a_server_that_is_up_holds_on_before_the_grants_are_new(old, stores):
    pool, to_come = old
    await fund(pool, ann := uuid4(), 10)
    await pool.execute(
        f"GRANT USAGE ON SCHEMA ledger TO {APP};"
        f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA ledger TO {APP};"
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA ledger TO {APP}"
    )
    await upgrade(pool, to_come)
    name = await pool.fetchval("SELECT current_database()")
    up = await create_pool(f"{stores[0].app_url.rpartition('/')[0]}/{name}")
    held = await reserve(up, ann, 1)
    up.terminate()
    await linked(pool)
    assert await sealed(pool) == {held}


async def waiting(pool: asyncpg.Pool, many: int) -> None:
    """Until so many sessions of the database wait for a lock."""
    query = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    async with asyncio.timeout(10):
        while await pool.fetchval(query) < many:
            await asyncio.sleep(0.01)


async def waiting_for_holds(pool: asyncpg.Pool, many: int) -> None:
    """Until so many wait for the table of holds."""
    query = (
        "SELECT count(*) FROM pg_locks WHERE relation = 'ledger.holds'::regclass AND NOT granted"
    )
    async with asyncio.timeout(10):
        while await pool.fetchval(query) < many:
            await asyncio.sleep(0.01)


# ---- forgeries beside those of test_tampering.py ----


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("caller_id", "gen_random_uuid()"),
        ("request_id", "gen_random_uuid()"),
        ("request_hash", "sha256(request_hash)"),
        ("transaction_id", "gen_random_uuid()"),
        ("posted_at", "posted_at - interval '1 hour'"),
    ],
)
async def test_every_column_of_what_posted_nothing_is_covered(pool, root, column, value):
    await fund(pool, ann := uuid4(), 10)
    held = await reserve(pool, ann, 1)
    await linked(pool)
    assert (await verified(pool)).sound
    await root.execute(f"UPDATE ledger.requests SET {column} = {value} WHERE request_id = $1", held)
    report = await verified(pool)
    assert report.findings[0].table == "requests", report.findings
    assert (report.findings[0].row == f"request_id {held}") is (column != "request_id")


@pytest.mark.parametrize(
    "forge",
    [
        "DELETE FROM ledger.request_seals WHERE request_id = $1",
        "UPDATE ledger.request_seals SET position = 1 WHERE request_id = $1",
        "UPDATE ledger.request_seals SET position = position + 100 WHERE request_id = $1",
        "UPDATE ledger.request_seals SET caller_id = gen_random_uuid() WHERE request_id = $1",
        """WITH added AS (
               INSERT INTO ledger.requests (caller_id, request_id, request_hash, posted_at)
               SELECT caller_id, gen_random_uuid(), request_hash, posted_at
               FROM ledger.requests WHERE request_id = $1
               RETURNING caller_id, request_id)
           INSERT INTO ledger.request_seals
           SELECT caller_id, request_id, position FROM added, ledger.chain
           WHERE kind = 'requests'""",
        # What posted nothing is said to have posted something, and the other way round.
        """UPDATE ledger.requests r SET transaction_id = t.transaction_id, posted_at = t.posted_at
           FROM ledger.transactions t WHERE request_id = $1""",
        """UPDATE ledger.requests SET transaction_id = NULL
           WHERE transaction_id IS NOT NULL AND $1::uuid IS NOT NULL""",
        # Of a transaction that is there, at a time when nothing was posted.
        """INSERT INTO ledger.requests
           SELECT caller_id, gen_random_uuid(), request_hash, transaction_id,
                  posted_at + interval '1 day', answer
           FROM ledger.requests WHERE transaction_id IS NOT NULL AND $1::uuid IS NOT NULL""",
    ],
)
async def test_forged_seals_are_found(pool, root, forge):
    await fund(pool, ann := uuid4(), 10)
    held = await reserve(pool, ann, 1)
    await linked(pool)
    await root.execute(forge, held)
    report = await verified(pool)
    assert report.findings[0].table == "requests", report.findings


async def test_some_batches_are_verified_with_the_links_that_cover_them(pool, root):
    await fund(pool, ann := uuid4(), 10)
    await linked(pool)
    forged = await reserve(pool, ann, 1)
    await fund(pool, ann, 10)
    first, second = await linked(pool)
    await root.execute("UPDATE ledger.requests SET request_hash = '' WHERE request_id = $1", forged)
    assert (await verified(pool, Range(last=first.sequence))).sound
    for batches in (EVERYTHING, Range(first=second.sequence), Range(last=second.sequence)):
        [finding] = (await verified(pool, batches)).findings
        assert finding.row == f"request_id {forged}"


async def test_the_newest_link_of_requests_is_missed(pool, root):
    await fund(pool, uuid4(), 10)
    await linked(pool)
    await fund(pool, uuid4(), 10)
    [_, newest] = await linked(pool)
    await root.execute("DELETE FROM ledger.chain WHERE position = $1", newest.position)
    assert (await verified(pool)).sound  # it may still come
    later = datetime(2100, 1, 1, tzinfo=UTC)
    report = await Verifier(EvidenceStore(pool), keys={}, now=later).verify()
    [finding] = report.findings
    assert (finding.table, finding.row) == ("chain", f"position {newest.position}")
    assert "requests of batch 2" in finding.problem
