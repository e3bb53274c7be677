"""The pool against a real PostgreSQL."""

import re
from pathlib import Path

import asyncpg

from server.database import connect_patiently


async def test_json_crosses_as_python_values(pool: asyncpg.Pool) -> None:
    value = {"figures": [1, 2, {"ü": None}]}
    assert await pool.fetchval("SELECT $1::jsonb", value) == value
    assert await pool.fetchval("SELECT $1::json", value) == value


async def test_sessions_run_in_utc_with_a_statement_timeout(pool: asyncpg.Pool) -> None:
    assert await pool.fetchval("SHOW timezone") == "UTC"
    assert await pool.fetchval("SHOW statement_timeout") == "30s"


async def test_the_owner_is_no_superuser(pool: asyncpg.Pool) -> None:
    row = await pool.fetchrow(
        "SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = 'sociallive'"
    )
    assert row is not None
    assert not row["rolsuper"]
    assert not row["rolcreaterole"]


async def test_a_release_costs_no_statement_and_ends_a_transaction(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        pid = connection.get_server_pid()
        await connection.execute("BEGIN; CREATE TABLE left_open (n integer)")
    async with pool.acquire() as connection:
        assert connection.get_server_pid() == pid
        assert not connection.is_in_transaction()
        assert await connection.fetchval("SELECT to_regclass('left_open')") is None
        assert connection.get_reset_query() == ""


async def test_no_statement_is_compiled(pool: asyncpg.Pool) -> None:
    """Where the server can: that takes longer than any of them does."""
    assert await pool.fetchval("SHOW jit") == "off"


async def test_who_looks_at_everything_is_left_alone(database_url: str) -> None:
    connection = await connect_patiently(database_url)
    for setting in ("statement_timeout", "idle_in_transaction_session_timeout"):
        assert await connection.fetchval(f"SHOW {setting}") == "0"
    await connection.close()


HOUSE = Path(__file__).parents[2]
# Of a session, not of a transaction: what the next borrower of the connection would find.
OF_A_SESSION = re.compile(
    r"pg_(try_)?advisory_lock|\bLISTEN\b|add_listener|CREATE TEMP|WITH HOLD|set_config\([^)]*false"
    r"|\"SET (?!LOCAL)|^SET (?!LOCAL)[^\n]*;",
    re.M,
)
KEEP_THEIR_CONNECTION = {
    "ledger/migrations/0006_posting.sql",  # take_shard, which the writer calls
    "ledger/store/writer.py",
    "ledger/sql/writer.sql",
    "server/migrations.py",
}
TAKE_IT_BACK = {
    # end_shift; tests/ledger/store/test_log.py looks after it
    "ledger/migrations/0044_shifts.sql",
    "ledger/migrations/0055_gaps_of_postings.sql",
}


def test_nothing_is_left_behind_in_a_pooled_connection() -> None:
    files = [
        path
        for folder in ("ledger", "compliance", "identity", "media", "server")
        for pattern in ("*.py", "*.sql")
        for path in (HOUSE / folder).rglob(pattern)
    ]
    found = {
        path.relative_to(HOUSE).as_posix()
        for path in files
        if OF_A_SESSION.search(path.read_text("utf-8"))
    }
    allowed = KEEP_THEIR_CONNECTION | TAKE_IT_BACK
    assert found <= allowed, found - allowed
    assert OF_A_SESSION.search('await connection.execute("SET lock_timeout = 5")')
