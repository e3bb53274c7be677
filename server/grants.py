"""Who may do what in the database: two roles beside the owner, and row-level security.

owner     owns the schemas and migrates them; whoever `stores.owner_url` signs in as
app       `sociallive_app`, as which the server works: no DDL, and no UPDATE or DELETE of what is
          append-only, were its triggers gone
reader    `sociallive_reader`, whose role the reads of one user's wallet and statement take for one
          transaction, with `app.user_id` set: it sees that user's rows alone, and none without.
          It makes no functions, with which it could look at rows before they are sorted out

The grants follow from the tables: what a trigger that calls `refuse_change` refuses is not granted.
They are brought up to date at every start, under the lock of the migrations. Where the roles are
missing (an external database without them) the server works as the owner.
"""

from collections.abc import Mapping, Sequence
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

NOT_INSERTED: Sequence[str] = (
    "ledger.gift_entries",  # ledger.post_gifts writes it with the owner's rights, and soundly
    "ledger.chart",
    "ledger.currencies",
    "ledger.payout_moves",
)
"""Tables that the server writes by a function alone, or that only migrations write."""

NOT_UPDATED: Sequence[str] = (
    "ledger.unsealed_accounts",
    "ledger.unsealed_references",
    "ledger.unsealed_requests",
)
"""Queues: what is in them is taken out, and never changes."""

APP_POLICY, READER_POLICY = POLICIES = ("app_works", "reader_sees_own")
"""Of each of these tables; made anew at every start, wherever the roles are."""

VIEWS = ("ledger.journal_entries", "ledger.transactions")
"""These show the reader that user's rows alone; of the tables behind them the reader has none."""

FUNCTIONS_OF_VIEWS = ("ledger.has_mine",)
"""What decides about a row in them with the owner's rights."""


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
        await connection.execute(f"REVOKE INSERT ON TABLE {', '.join(NOT_INSERTED)} FROM {APP}")
        await connection.execute(f"REVOKE UPDATE ON TABLE {', '.join(NOT_UPDATED)} FROM {APP}")
        await connection.execute(f"GRANT USAGE ON SCHEMA ledger TO {READER}")
        for table in (*VISIBLE, *VIEWS):
            await connection.execute(f"GRANT SELECT ON TABLE {table} TO {READER}")
        for function in FUNCTIONS_OF_VIEWS:
            await connection.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {READER}")
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
