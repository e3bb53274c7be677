"""Who may do what in the database: two roles beside the owner, and row-level security.

owner     owns the schemas and migrates them; whoever `stores.owner_url` signs in as
app       `sociallive_app`, as which the server works: no DDL, and no UPDATE or DELETE of what is
          append-only, were its triggers gone
reader    `sociallive_reader`, whose role the reads of one user's wallet and statement take for one
          transaction, with `app.user_id` set: it sees that user's rows alone, and none without

The grants follow from the tables: what a trigger that calls `refuse_change` refuses is not granted.
They are brought up to date at every start, under the lock of the migrations. Where the roles are
missing (an external database without them) the server works as the owner.
"""

from collections.abc import Mapping
from types import MappingProxyType

import asyncpg

from config.sql import load_queries
from server.embedded.postgres import APP, READER
from server.migrations import DOMAINS, migration_lock

SQL = load_queries("server", "sql/grants.sql")

MINE = "nullif(current_setting('app.user_id', true), '')::uuid"

VISIBLE: Mapping[str, str] = MappingProxyType(
    {
        "ledger.accounts": f"owner_id = {MINE}",
        # The subqueries see through the policies of the tables that they read.
        "ledger.holds": "account_id IN (SELECT account_id FROM ledger.accounts)",
    }
)
"""Tables with rows of one user, and which of them the reader sees."""

WRITTEN_BY_ITS_FUNCTION = "ledger.gift_entries"
"""ledger.post_gifts writes it with the owner's rights; what is sound about a gift is its doing."""

APP_POLICY, READER_POLICY = POLICIES = ("app_works", "reader_sees_own")
"""Of each of these tables; made anew at every start, wherever the roles are."""

VIEWS = ("ledger.journal_entries", "ledger.transactions")
"""These show the reader that user's rows alone; of the tables behind them the reader has none."""


async def apply_grants(connection: asyncpg.Connection) -> bool:
    """Bring grants and policies up to date; whether the roles are there to be granted to.

    The connection is the owner's. Raises asyncpg.PostgresError.
    """
    rows = await connection.fetch(SQL["roles"], [APP, READER])
    if len(rows) < 2:
        return False
    async with migration_lock(connection), connection.transaction():
        for row in await connection.fetch(SQL["statements"], APP, [*DOMAINS]):
            await connection.execute(row["statement"])
        await connection.execute(f"REVOKE INSERT ON TABLE {WRITTEN_BY_ITS_FUNCTION} FROM {APP}")
        await connection.execute(f"GRANT USAGE ON SCHEMA ledger TO {READER}")
        for table in (*VISIBLE, *VIEWS):
            await connection.execute(f"GRANT SELECT ON TABLE {table} TO {READER}")
        await _protect(connection)
    return True


async def _protect(connection: asyncpg.Connection) -> None:
    """Policies first: a table without any shows nothing once its security is on."""
    found = {row["name"] for row in await connection.fetch(SQL["policies"])}
    for table, condition in VISIBLE.items():
        if f"{table} {APP_POLICY}" not in found:
            await connection.execute(
                f"CREATE POLICY {APP_POLICY} ON {table} TO {APP} USING (true) WITH CHECK (true)"
            )
        if f"{table} {READER_POLICY}" not in found:
            await connection.execute(
                f"CREATE POLICY {READER_POLICY} ON {table} FOR SELECT TO {READER}"
                f" USING ({condition})"
            )
    for row in await connection.fetch(SQL["unprotected"], [*VISIBLE]):
        await connection.execute(f"ALTER TABLE {row['name']} ENABLE ROW LEVEL SECURITY")
