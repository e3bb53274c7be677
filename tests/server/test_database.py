"""The pool against a real PostgreSQL."""

import asyncpg


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
