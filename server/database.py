"""Connections to PostgreSQL: the pool, and how values cross."""

import asyncpg
import orjson

STATEMENT_TIMEOUT_MS = 30_000


class PooledConnection(asyncpg.Connection):
    """A connection that is borrowed again and again.

    asyncpg would reset the session at each release, one round trip more for every statement. Here
    nobody leaves anything behind in it: settings, roles and locks are those of a transaction, and
    whoever needs others for longer keeps the connection, and ends it. An open transaction is rolled
    back at the release all the same.
    """

    def get_reset_query(self) -> str:
        """Nothing."""
        return ""


async def create_pool(url: str, *, size: int = 8, least: int = 1) -> asyncpg.Pool:
    """A pool whose connections turn `json` and `jsonb` into Python values and back.

    With `least` 0 it opens without a connection, and so while the database is away.

    Raises OSError or asyncpg.PostgresError when the database can't be reached.
    """
    return await asyncpg.create_pool(
        url,
        min_size=least,
        max_size=size,
        init=_prepare,
        connection_class=PooledConnection,
        timeout=10,
        command_timeout=STATEMENT_TIMEOUT_MS / 1000,
        server_settings={
            "application_name": "sociallive",
            "statement_timeout": str(STATEMENT_TIMEOUT_MS),
            "timezone": "UTC",
            # Plans that may not scan a table look dear, and were compiled for each statement anew.
            "jit": "off",
        },
    )


async def connect_patiently(url: str) -> asyncpg.Connection:
    """A connection that the server leaves alone, whatever it has been told of others: one that
    looks at a whole ledger, or waits in a transaction while something else does.

    Raises OSError or asyncpg.PostgresError when the database can't be reached.
    """
    return await asyncpg.connect(
        url,
        timeout=10,
        server_settings={
            "statement_timeout": "0",
            "idle_in_transaction_session_timeout": "0",
        },
    )


async def _prepare(connection: asyncpg.Connection) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name,
            schema="pg_catalog",
            encoder=lambda value: orjson.dumps(value).decode(),
            decoder=orjson.loads,
        )
