import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from config.ledger import EvidenceSettings, LedgerSettings
from ledger.evidence.chainer import Chainer
from ledger.evidence.verify import Verifier
from ledger.store import LedgerStore
from ledger.store.evidence import EvidenceStore
from ledger.store.upkeep import make_months
from server.database import create_pool
from server.grants import apply_grants
from tests.support.history import fund, give

TABLES = ("posting_entries", "gift_entries", "event_log")
MONTHS = """
SELECT count(*) FROM pg_inherits WHERE inhparent = 'ledger.posting_entries'::regclass
"""


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def name_of(owner: asyncpg.Connection, ahead: int) -> str:
    """As in the names of the partitions of the month in `ahead` months."""
    return await owner.fetchval(
        "SELECT to_char(date_trunc('month', now() AT TIME ZONE 'UTC')"
        " + $1 * interval '1 month', 'YYYY_MM')",
        ahead,
    )


async def drop_months(owner: asyncpg.Connection, *ahead: int) -> None:
    for each in ahead:
        for table in TABLES:
            await owner.execute(f"DROP TABLE ledger.{table}_{await name_of(owner, each)}")


async def test_missing_months_are_made_once_by_the_role_that_may_make_no_table(
    owner: asyncpg.Connection, database_url: str, stores, settings: LedgerSettings
) -> None:
    await apply_grants(owner)
    last = f"ledger.posting_entries_{await name_of(owner, 3)}"
    await owner.execute(f"DROP TABLE {last}")
    months = await owner.fetchval(MONTHS)
    name = database_url.rpartition("/")[2]
    app = await create_pool(f"{stores[0].app_url.rpartition('/')[0]}/{name}")
    upkeep = LedgerStore(app, settings).upkeep
    assert await upkeep.make_months_ahead() == 1
    assert await upkeep.make_months_ahead() == 0
    assert await owner.fetchval(MONTHS) == months + 1
    triggers = f"SELECT count(*) FROM pg_trigger WHERE tgrelid = '{last}'::regclass"
    assert await owner.fetchval(triggers) >= 2
    app.terminate()


async def test_a_server_of_the_version_before_makes_months_too(owner: asyncpg.Connection) -> None:
    await drop_months(owner, 2, 3)
    assert await owner.fetchval("SELECT ledger.make_months_ahead(3)") == 2 * len(TABLES)
    assert await owner.fetchval("SELECT ledger.make_months_ahead(3)") == 0


AS_IT_IS = """
SELECT replace(what, $1, '…') AS what FROM (
    SELECT format('%s %s', to_jsonb(c) - ARRAY['oid', 'relname', 'reltype', 'relfilenode',
               'reltoastrelid', 'relpartbound', 'relfrozenxid', 'relminmxid'], t.reloptions) AS what
    FROM pg_class c LEFT JOIN pg_class t ON t.oid = c.reltoastrelid WHERE c.oid = $2::regclass
    UNION ALL
    SELECT format('%s %s', to_jsonb(a) - 'attrelid', pg_get_expr(d.adbin, d.adrelid))
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = $2::regclass
    UNION ALL
    SELECT format('%s %s', to_jsonb(c) - ARRAY['oid', 'conrelid', 'conindid', 'conbin'],
                  pg_get_constraintdef(c.oid))
    FROM pg_constraint c WHERE c.conrelid = $2::regclass
    UNION ALL
    SELECT format('%s %s', pg_get_triggerdef(t.oid), t.tgenabled)
    FROM pg_trigger t WHERE t.tgrelid = $2::regclass
    UNION ALL
    SELECT format('%s %s %s %s', pg_get_indexdef(i.indexrelid), c.reloptions, i.indisvalid,
                  h.inhparent::regclass)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    LEFT JOIN pg_inherits h ON h.inhrelid = c.oid WHERE i.indrelid = $2::regclass
) catalogue ORDER BY what
"""
"""All that the catalogues say of the table $2 but its identity and its month, named $1."""


@pytest.mark.parametrize("table", TABLES)
async def test_a_month_is_as_one_that_was_made_under_a_lock(
    owner: asyncpg.Connection, table: str
) -> None:
    await apply_grants(owner)
    await owner.execute(
        f"CREATE TABLE ledger.{table}_2001_01 PARTITION OF ledger.{table}"
        " FOR VALUES FROM ('2001-01-01T00:00Z') TO ('2001-02-01T00:00Z')"
    )
    await owner.execute(f"SELECT ledger.protect_partition('{table}', '{table}_2001_01')")
    assert await owner.fetchval(f"SELECT ledger.make_month('{table}', '2001-02-28T23:59Z')")
    one, other = [
        [row["what"] for row in await owner.fetch(AS_IT_IS, month, f"ledger.{table}_{month}")]
        for month in ("2001_01", "2001_02")
    ]
    assert len(one) > 10
    assert one == other
    bound = "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = $1::regclass"
    await owner.execute("SET timezone = 'UTC'")
    assert await owner.fetchval(bound, f"ledger.{table}_2001_02") == (
        "FOR VALUES FROM ('2001-02-01 00:00:00+00') TO ('2001-03-01 00:00:00+00')"
    )


async def test_only_tables_with_months_get_one(owner: asyncpg.Connection) -> None:
    for table in ("accounts", "event_log_default", "nothing", None):
        with pytest.raises(asyncpg.UndefinedTableError):
            await owner.fetchval("SELECT ledger.make_month($1, now())", table)


async def test_gifts_go_on_while_a_month_waits_for_a_long_reader(
    owner: asyncpg.Connection, database_url: str, pool: asyncpg.Pool, ledger, gift
) -> None:
    await drop_months(owner, 3)
    payer, payee = uuid4(), uuid4()
    await fund(pool, payer, 1_000_000)
    await ledger.send_gift(gift(payer_id=payer, payee_id=payee))
    reader = await asyncpg.connect(database_url)  # as a backup is one
    async with reader.transaction(isolation="repeatable_read", readonly=True):
        for table in TABLES:
            await reader.fetch(f"SELECT FROM ledger.{table}")
        made = asyncio.create_task(make_months(owner.fetch, most_moved=1))
        longest_s, sent = 0.0, 0
        while not made.done():
            start = asyncio.get_running_loop().time()
            await ledger.send_gift(gift(payer_id=payer, payee_id=payee))
            longest_s = max(longest_s, asyncio.get_running_loop().time() - start)
            sent += 1
        with pytest.raises(ExceptionGroup) as failed:
            await made
    errors = failed.value.exceptions
    assert [type(error) for error in errors] == [asyncpg.LockNotAvailableError] * len(TABLES)
    assert sent > len(TABLES)  # several in each wait
    assert longest_s < 0.2 * len(TABLES)
    assert await make_months(owner.fetch, most_moved=1) == len(TABLES)
    await reader.close()
    await ledger.close()


async def test_strays_move_to_their_month(
    owner: asyncpg.Connection, pool: asyncpg.Pool, ledger, gift, settings: LedgerSettings
) -> None:
    """A clock that was months ahead for one posting and one gift."""
    payer, payee = uuid4(), uuid4()
    await fund(pool, payer, 1_000)
    await pool.execute(
        "UPDATE ledger.accounts SET moved_at = now() + interval '125 days' WHERE owner_id = $1",
        payer,
    )
    await give(pool, payer, payee, 10)
    await ledger.send_gift(gift(payer_id=payer, payee_id=payee))
    entries = "SELECT * FROM ledger.journal_entries ORDER BY entry_id"
    log = "SELECT * FROM ledger.event_log ORDER BY sequence"
    before = await owner.fetch(entries), await owner.fetch(log)
    upkeep = LedgerStore(pool, settings).upkeep
    assert await upkeep.strays() == 3 + 1 + 2
    await drop_months(owner, 3)
    assert await upkeep.make_months_ahead() == len(TABLES)  # the stray is of a later month still
    assert await upkeep.strays() == 3 + 1 + 2
    for table in TABLES:
        query = f"SELECT ledger.make_month('{table}', now() + interval '125 days', $1)"
        with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError, match="more than can be"):
            await owner.fetchval(query, 0)
        assert await owner.fetchval(query, 3)
        with pytest.raises(asyncpg.PostgresError, match="is append-only"):
            await owner.execute(f"DELETE FROM ledger.{table}_default")
    assert await upkeep.strays() == 0
    assert (await owner.fetch(entries), await owner.fetch(log)) == before
    now = datetime.now(UTC)
    await Chainer(EvidenceStore(pool), EvidenceSettings(), clock=lambda: now).catch_up()
    report = await Verifier(EvidenceStore(pool), keys={}, now=now + timedelta(days=200)).verify()
    assert report.findings == ()
    await ledger.close()


async def test_what_is_on_its_way_to_no_month_is_posted_in_it(
    owner: asyncpg.Connection, pool: asyncpg.Pool, ledger, gift
) -> None:
    """A gift and a posting wait while the month that they are of is made."""
    payer, payee = uuid4(), uuid4()
    await fund(pool, payer, 1_000)
    await ledger.send_gift(gift(payer_id=payer, payee_id=payee))
    await drop_months(owner, 0)
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = $1"
    database = await owner.fetchval(
        "SELECT oid FROM pg_database WHERE datname = current_database()"
    )
    async with owner.transaction():
        for table in TABLES:
            assert await owner.fetchval(f"SELECT ledger.make_month('{table}', now())")
        posted = asyncio.gather(
            ledger.send_gift(gift(payer_id=payer, payee_id=payee)),
            ledger.grant(
                request_id=uuid4(), user_id=uuid4(), amount_minor=5, reason="test", granted_by=payee
            ),
        )
        async with asyncio.timeout(10):
            while await owner.fetchval(waiting, database) < 2:
                await asyncio.sleep(0.005)
    await posted
    strays = "SELECT count(*) FROM ledger.event_log_default"
    assert await owner.fetchval(strays) == 0
    await ledger.close()


async def test_a_month_that_cannot_be_made_keeps_no_other_from_it(
    owner: asyncpg.Connection, pool: asyncpg.Pool, settings: LedgerSettings
) -> None:
    await drop_months(owner, 1, 2)
    await pool.execute(
        "INSERT INTO ledger.event_log (sequence, writer, event_count, posted_at, events)"
        " SELECT n, 1, 1, date_trunc('month', now()) + interval '1 month', '[]'"
        " FROM generate_series(1, 2) AS n"
    )
    with pytest.raises(ExceptionGroup) as failed:
        await make_months(owner.fetch, most_moved=1)
    [error] = failed.value.exceptions
    assert str(error).startswith("2 rows of ")
    assert "event_log of " in error.__notes__[0]
    assert await make_months(owner.fetch, most_moved=2) == 1
    assert await LedgerStore(pool, settings).upkeep.strays() == 0


async def test_rows_without_a_month_are_counted(
    pool: asyncpg.Pool, settings: LedgerSettings
) -> None:
    upkeep = LedgerStore(pool, settings).upkeep
    assert await upkeep.strays() == 0
    await pool.execute(
        "INSERT INTO ledger.event_log (sequence, writer, event_count, posted_at, events)"
        " VALUES (1, 1, 1, '2001-01-31T12:00Z', '[]')"
    )
    await pool.execute(
        "INSERT INTO ledger.gift_entries VALUES"
        " (1, '2001-01-31T12:00Z', 1, 0, 1, 0, 2, 1, NULL, NULL, $1, $1, $1, NULL, 'Rose')",
        uuid4(),
    )
    assert await upkeep.strays() == 2


async def test_a_ledger_ahead_of_its_clock_is_told(
    pool: asyncpg.Pool, settings: LedgerSettings, caplog: pytest.LogCaptureFixture
) -> None:
    upkeep = LedgerStore(pool, settings).upkeep
    assert await upkeep.look_at_clock() == 0  # with an empty log, too
    await fund(pool, payer := uuid4(), 1_000)
    assert (await upkeep.look_at_clock(), upkeep.clock_ahead_s) == (0, 0)
    await pool.execute(
        "UPDATE ledger.accounts SET moved_at = now() + interval '1 hour' WHERE owner_id = $1", payer
    )
    await give(pool, payer, uuid4(), 10)
    await fund(pool, uuid4(), 1_000)  # others go on as before
    assert await upkeep.look_at_clock() == 1
    assert 3_590 < upkeep.clock_ahead_s <= 3_600
    assert "postings are of a time to come" in caplog.text
