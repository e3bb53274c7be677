"""A ledger whose schema is of before some migration, and the migrations that are still to come."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg

from server.database import create_pool
from server.embedded.postgres import EmbeddedPostgres
from server.migrations import Migration, migrations

ASKS_FOR_POSTINGS = 55
ASKED_BEFORE = """
CREATE FUNCTION ledger.oldest_posting() RETURNS bigint LANGUAGE sql AS $$
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint
$$
"""
"""What the chainer asked for itself before that migration."""


@asynccontextmanager
async def ledger_before(
    version: int, postgres: EmbeddedPostgres
) -> AsyncIterator[tuple[asyncpg.Pool, list[Migration]]]:
    """A database of its own with every migration of the ledger before `version`, and the others."""
    admin = await asyncpg.connect(postgres.admin_url)
    name = f"old_{uuid4().hex}"
    await admin.execute(f"CREATE DATABASE {name} OWNER sociallive")
    pool = await create_pool(f"{postgres.url.rpartition('/')[0]}/{name}")
    of_ledger = [each for each in migrations() if each.domain == "ledger"]
    for each in of_ledger:
        if each.version < version:
            await pool.execute(each.sql)
    if version <= ASKS_FOR_POSTINGS:
        await pool.execute(ASKED_BEFORE)
    yield pool, [each for each in of_ledger if each.version >= version]
    pool.terminate()
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()
