"""What the roles of the database may do, and which rows a user's reads see."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest

from config.ledger import LedgerSettings
from ledger.service import LedgerService
from ledger.store import LedgerStore
from server.database import create_pool
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.redis import EmbeddedRedis
from server.grants import APP, READER, VIEWS, VISIBLE, apply_grants
from tests.server.backup.conftest import ADA, BO, Silent, gift, ledger  # noqa: F401

APPEND_ONLY = (
    "ledger.posting_entries",
    "ledger.gift_entries",
    "ledger.posting_transactions",
    "ledger.event_log",
)
SEEN = (*VISIBLE, *VIEWS)


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    assert await apply_grants(connection)
    yield connection
    await connection.close()


@pytest.fixture
async def app(
    owner: asyncpg.Connection,
    stores: tuple[EmbeddedPostgres, EmbeddedRedis],
    database_url: str,
) -> AsyncIterator[asyncpg.Connection]:
    """A connection as the server's role, signed in as it."""
    name = database_url.rpartition("/")[2]
    connection = await asyncpg.connect(f"{stores[0].app_url.rpartition('/')[0]}/{name}")
    yield connection
    await connection.close()


async def test_append_only_rows_stay_without_their_triggers(
    ledger: LedgerService,  # noqa: F811
    owner: asyncpg.Connection,
    app: asyncpg.Connection,
) -> None:
    for table in APPEND_ONLY:
        await owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        assert await app.fetchval(f"SELECT count(*) FROM {table}")
        update = f"UPDATE {table} SET posted_at = posted_at"
        for statement in (update, f"DELETE FROM {table}", f"TRUNCATE {table}"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(statement)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


async def test_of_an_account_only_what_moves_may_change(app: asyncpg.Connection) -> None:
    await app.execute("UPDATE ledger.accounts SET balance_minor = balance_minor WHERE false")
    for column in ("owner_id", "code", "currency", "account_id"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(f"UPDATE ledger.accounts SET {column} = {column} WHERE false")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute("DELETE FROM ledger.accounts WHERE false")


async def test_other_tables_may_be_written(app: asyncpg.Connection) -> None:
    for table in ("identity.users", "media.streams", "compliance.aml_activity"):
        await app.execute(f"DELETE FROM {table} WHERE false")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute("DELETE FROM compliance.audit_logs WHERE false")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute("DELETE FROM schema_migrations WHERE false")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute("CREATE TABLE ledger.mine (n integer)")


async def test_what_migrations_alone_write_is_read(app: asyncpg.Connection) -> None:
    for statement in (
        "INSERT INTO ledger.payout_moves VALUES ('paid', 'requested')",
        "INSERT INTO ledger.chart VALUES ('slush', true, false)",
        "INSERT INTO ledger.currencies VALUES ('SLUSH', 2)",
        "UPDATE ledger.unsealed_accounts SET account_id = account_id",
        "UPDATE ledger.unsealed_references SET reference = reference",
        "UPDATE ledger.unsealed_requests SET request_id = request_id",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(statement)
    for table in ("chart", "currencies", "payout_moves"):
        assert await app.fetchval(f"SELECT count(*) FROM ledger.{table}")


async def test_a_gift_is_posted_by_its_function_alone(
    ledger: LedgerService,  # noqa: F811
    owner: asyncpg.Connection,
    app: asyncpg.Connection,
) -> None:
    """It runs with the owner's rights, so who may call it is said, too."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute("INSERT INTO ledger.gift_entries SELECT * FROM ledger.gift_entries")
    call = await owner.fetchrow(
        "SELECT oid::regprocedure::text AS name, prosecdef, proconfig FROM pg_proc"
        " WHERE oid = 'ledger.post_gifts'::regproc"
    )
    assert (call["prosecdef"], call["proconfig"]) == (True, ["search_path=pg_catalog, pg_temp"])
    may_call = "SELECT has_function_privilege($1, $2, 'EXECUTE')"
    assert await owner.fetchval(may_call, APP, call["name"])
    assert not await owner.fetchval(may_call, READER, call["name"])


async def test_grants_are_made_again_without_change(owner: asyncpg.Connection) -> None:
    query = (
        "SELECT relname, relrowsecurity,"
        " (SELECT array_agg(each::text ORDER BY each::text) FROM unnest(relacl) AS each)"
        " FROM pg_class WHERE relnamespace = 'ledger'::regnamespace ORDER BY relname"
    )
    before = await owner.fetch(query)
    assert await apply_grants(owner)
    assert [tuple(row) for row in await owner.fetch(query)] == [tuple(row) for row in before]


async def test_without_the_roles_nothing_is_granted(
    owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.grants.READER", "sociallive_nobody")
    assert not await apply_grants(owner)


async def rows_seen(connection: asyncpg.Connection, user_id: UUID | None) -> dict[str, int]:
    async with connection.transaction():
        await connection.execute(f"SET LOCAL ROLE {READER}")
        if user_id is not None:
            await connection.execute("SELECT set_config('app.user_id', $1, true)", str(user_id))
        return {table: await connection.fetchval(f"SELECT count(*) FROM {table}") for table in SEEN}


async def test_a_user_s_reads_see_that_user_s_rows(
    ledger: LedgerService,  # noqa: F811
    app: asyncpg.Connection,
) -> None:
    everything = {table: await app.fetchval(f"SELECT count(*) FROM {table}") for table in SEEN}
    assert everything["ledger.transactions"] == 11
    assert await rows_seen(app, ADA) == {
        "ledger.accounts": 1,
        "ledger.journal_entries": 11,
        "ledger.holds": 0,
        "ledger.transactions": 11,
    }
    seen = await rows_seen(app, BO)
    assert (seen["ledger.journal_entries"], seen["ledger.transactions"]) == (10, 10)
    nothing = dict.fromkeys(SEEN, 0)
    assert await rows_seen(app, uuid4()) == nothing
    assert await rows_seen(app, None) == nothing
    # The role and the user end with the transaction: the pool's next borrower has neither.
    assert await app.fetchval("SELECT current_user") == APP
    assert not await app.fetchval("SELECT current_setting('app.user_id', true)")


LOOK = """
CREATE FUNCTION ledger.look(seen anyelement) RETURNS boolean LANGUAGE plpgsql COST 1e-7 AS $$
BEGIN
    RAISE EXCEPTION 'seen: %', seen;
END $$;
GRANT EXECUTE ON FUNCTION ledger.look TO PUBLIC;
"""
OF_OTHERS = (
    "SELECT * FROM ledger.journal_entries WHERE ledger.look(balance_minor)",
    "SELECT * FROM ledger.transactions WHERE ledger.look(description)",
    "SELECT * FROM ledger.transactions WHERE description::date > 'today'",
)


@pytest.mark.parametrize("query", OF_OTHERS)
async def test_nothing_of_a_query_looks_at_other_users_rows(
    ledger: LedgerService,  # noqa: F811
    owner: asyncpg.Connection,
    app: asyncpg.Connection,
    query: str,
) -> None:
    """Not even what is cheaper than anything that the reader could make itself."""
    await owner.execute(LOOK)
    await app.execute(f"SET ROLE {READER}; SET app.user_id = '{uuid4()}'")
    assert await app.fetch(query) == []
    await app.execute(f"SET app.user_id = '{ADA}'")
    with pytest.raises(asyncpg.PostgresError, match=r"seen:|invalid input syntax"):
        await app.fetch(query)


async def test_the_reader_makes_no_functions(app: asyncpg.Connection) -> None:
    for role in (APP, READER):
        await app.execute(f"SET ROLE {role}")
        for schema in ("pg_temp", "ledger", "public"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(
                    f"CREATE FUNCTION {schema}.look(seen text) RETURNS boolean"
                    " LANGUAGE sql AS 'SELECT true'"
                )


async def test_a_user_s_reads_write_nothing(app: asyncpg.Connection) -> None:
    for statement in (
        "UPDATE ledger.accounts SET balance_minor = 1",
        "INSERT INTO ledger.event_cursors VALUES ('x', 1)",
        "SELECT * FROM identity.users",
        "SELECT * FROM ledger.posting_entries",
        "SELECT * FROM ledger.posting_transactions",
        "SELECT * FROM ledger.gift_entries",
        "SELECT ledger.make_months_ahead(1)",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(f"BEGIN; SET LOCAL ROLE {READER}; {statement}")
        await app.execute("ROLLBACK")


async def test_wallet_and_statement_are_read_with_the_reader_s_rights(
    ledger: LedgerService,  # noqa: F811
    owner: asyncpg.Connection,
    stores: tuple[EmbeddedPostgres, EmbeddedRedis],
    database_url: str,
) -> None:
    name = database_url.rpartition("/")[2]
    pool = await create_pool(f"{stores[0].app_url.rpartition('/')[0]}/{name}")
    settings = LedgerSettings()
    store = LedgerStore(pool, settings, reader=READER)
    read = LedgerService(settings, store, wake=lambda: None, observer=Silent())
    assert await read.wallet(ADA) == await ledger.wallet(ADA)
    for user_id, account in ((ADA, "wallet"), (BO, "earnings")):
        seen = await read.statement(user_id, account=account, cursor=None, limit=5)  # type: ignore[arg-type]
        plain = await ledger.statement(user_id, account=account, cursor=None, limit=5)  # type: ignore[arg-type]
        assert len(seen.lines) == 5
        assert seen == plain
    await gift(read)  # and the server's role may post
    assert (await read.wallet(BO)).earnings_minor == 77
    await read.close()
    pool.terminate()


async def test_postings_lock_accounts_as_postgresql_15_lets_the_server(
    app: asyncpg.Connection,
) -> None:
    async with app.transaction():
        await app.fetch("SELECT ledger.next_batch()")
        modes = await app.fetch(
            "SELECT mode FROM pg_locks"
            " WHERE relation = 'ledger.accounts'::regclass AND pid = pg_backend_pid()"
        )
    # Version 15 wants UPDATE of the whole table for any other; from 16 on it is not so strict.
    assert {row["mode"] for row in modes} <= {"RowExclusiveLock", "AccessShareLock"}
    assert modes
