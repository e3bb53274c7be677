"""Indexes that the queries need, and no more."""

import asyncpg

from server.embedded.postgres import EmbeddedPostgres
from server.embedded.redis import EmbeddedRedis
from tests.support.query_plans import indexes_of, named_queries, plan_of, reads_alone

INDEXES = """
SELECT c.relname AS name, coalesce(p.relname, c.relname) AS parent, i.indisunique AS is_unique
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_inherits h ON h.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = h.inhparent
WHERE n.nspname IN ('ledger', 'compliance', 'identity', 'media')
"""
"""Of a partition's index, `parent` is the one that it is a part of."""

IN_FUNCTIONS = {
    "open_holds_by_expiry": "ledger.expire_holds",
}
"""Indexes that functions of the database read, whose statements have no name in a file."""

BY_VALUES = {
    "compliance.aml_activity_structuring": ("compliance/aml/sql/activity.sql:near_threshold", {}),
    "compliance.aml_alerts_status": (
        "compliance/aml/sql/alerts.sql:newest",
        {"$1::text": "'open'", "$1": "'open'", "$2::uuid IS NULL": "true"},
    ),
    "ledger.differences_by_state": (
        "ledger/sql/reconcile.sql:differences",
        {"$1::text": "'open'", "$1": "'open'", "$2::uuid IS NULL": "true"},
    ),
    "ledger.payouts_of_batch": ("ledger/sql/payouts.sql:of_batch", {}),
    "ledger.purchases_by_state": (
        "ledger/sql/purchases.sql:newest",
        {"$1::text": "'done'", "$1": "'done'", "$2::uuid IS NULL": "true"},
    ),
}
"""Indexes that are read for some values of the parameters, or for tables that have grown."""


async def test_each_index_is_read_by_a_query(pool: asyncpg.Pool, database_url: str) -> None:
    rows = await pool.fetch(INDEXES)
    parent = {row["name"]: row["parent"] for row in rows}
    plans = indexes_of(named_queries(), database_url)
    used = {parent[index] for indexes in plans.values() for index in indexes if index in parent}
    # Unique ones are there for what they forbid.
    wanted = {row["parent"] for row in rows if not row["is_unique"]}
    named = {index.rpartition(".")[2] for index in BY_VALUES}
    unread = wanted - used - named - IN_FUNCTIONS.keys()
    assert not unread, f"no named query reads {sorted(unread)}; remove it, or name what does"


async def test_indexes_that_are_read_for_some_values(
    stores: tuple[EmbeddedPostgres, EmbeddedRedis], database_url: str
) -> None:
    name = database_url.rpartition("/")[2]
    superuser_url = f"{stores[0].admin_url.rpartition('/')[0]}/{name}"
    queries = named_queries()
    for index, (query, values) in BY_VALUES.items():
        assert reads_alone(index, queries[query], values, superuser_url), index


async def test_functions_that_are_named_for_an_index_read_its_table(pool: asyncpg.Pool) -> None:
    for index, function in IN_FUNCTIONS.items():
        table = await pool.fetchval(
            "SELECT tablename FROM pg_indexes WHERE indexname = $1 AND schemaname = 'ledger'", index
        )
        body = await pool.fetchval(
            "SELECT string_agg(prosrc, ' ') FROM pg_proc WHERE oid::regproc::text = $1", function
        )
        assert table, f"{index} is gone: remove its row"
        assert f"ledger.{table}" in body


async def test_hot_queries_read_no_table_whole(database_url: str) -> None:
    plans = indexes_of(named_queries(), database_url)
    for name, index in (
        ("ledger/sql/reading.sql:wallet", "one_account_each"),
        ("ledger/sql/replays.sql:listed", "replays_of_consumer"),
    ):
        assert index in plans[name], (name, plans[name])


async def test_entries_of_an_account_come_in_the_order_of_its_indexes(database_url: str) -> None:
    """A page reads as many rows as it shows: what hides others' rows does not keep it from that."""
    queries = named_queries()
    for name, merges in (("statement", 2), ("balance_at", 1)):
        plan = plan_of(queries[f"ledger/sql/reading.sql:{name}"], database_url)
        assert plan.count("Merge Append") == merges, plan
        assert "gift_entries_2" in plan
