"""A ledger that is full: entries by the million, written as gifts would have left them."""

import asyncpg

AT_ONCE = 100_000
"""Gifts in one statement."""

FILL = """
WITH payer AS MATERIALIZED (
    SELECT account_id, owner_id, row_number() OVER () - 1 AS n FROM ledger.accounts
    WHERE code = 'wallet'
), payee AS MATERIALIZED (
    SELECT account_id, row_number() OVER () - 1 AS n FROM ledger.accounts
    WHERE code = 'earnings' AND shard = $4
), size AS (
    SELECT (SELECT count(*) FROM payer) AS payers, (SELECT count(*) FROM payee) AS payees
), gift AS MATERIALIZED (
    SELECT gen_random_uuid() AS transaction_id, gen_random_uuid() AS request_id,
           payer.account_id AS wallet, payer.owner_id, payee.account_id AS earnings,
           $1 + g / 100 AS batch, $3::timestamptz + g * interval '1 microsecond' AS at
    FROM generate_series(1::bigint, $2) g CROSS JOIN size
    JOIN payer ON payer.n = g * 7919 % payers JOIN payee ON payee.n = g * 104729 % payees
), answered AS (
    INSERT INTO ledger.requests (caller_id, request_id, request_hash, transaction_id, posted_at,
        answer)
    SELECT owner_id, request_id, sha256(uuid_send(request_id)), transaction_id, at,
           '{"total_minor":10,"balance_minor":100000,"currency":"COIN"}'
    FROM gift
)
INSERT INTO ledger.gift_entries (
    batch, posted_at, total_minor, fee_minor, payer_entry_id, payer_balance_minor, payee_entry_id,
    payee_balance_minor, house_entry_id, house_balance_minor, transaction_id, payer_account_id,
    payee_account_id, house_account_id, description)
SELECT batch, at, 10, 3, nextval('ledger.entry_numbers'), 100000, nextval('ledger.entry_numbers'),
       100000, nextval('ledger.entry_numbers'), 100000, transaction_id, wallet, earnings,
       (SELECT account_id FROM ledger.accounts WHERE code = 'fees' AND shard = $4), '1 × Rose'
FROM gift
"""


INDEXES = """
SELECT format('DROP INDEX %s', indexrelid::regclass) AS drop, pg_get_indexdef(indexrelid) AS make
FROM pg_index WHERE indrelid = 'ledger.gift_entries'::regclass
UNION ALL
SELECT 'ALTER TABLE ledger.requests DROP CONSTRAINT one_answer_a_request',
       'ALTER TABLE ledger.requests'
       || ' ADD CONSTRAINT one_answer_a_request PRIMARY KEY (caller_id, request_id)'
"""


async def fill(connection: asyncpg.Connection, entries: int) -> int:
    """Write about so many entries before all others; says how many there are now.

    Balances are left as they are: what is measured does not look at entries of long ago. Indexes
    are made anew behind it, from sorted rows: row by row that would take hours.
    """
    shard = await connection.fetchval(
        "SELECT max(shard) FROM ledger.accounts WHERE code = 'fees' AND shard < 100"
    )
    month = await connection.fetchval("SELECT date_trunc('month', now())")
    await connection.execute("SET maintenance_work_mem = '1GB'; SET synchronous_commit = off")
    indexes = await connection.fetch(INDEXES)
    for index in indexes:
        await connection.execute(index["drop"])
    batch = 0
    while batch * 300 < entries:
        await connection.execute(FILL, batch, AT_ONCE, month, shard, timeout=600)
        batch += AT_ONCE // 100
    for index in indexes:
        await connection.execute(index["make"], timeout=1800)
    for table in ("gift_entries", "requests"):
        await connection.execute(f"VACUUM (ANALYZE) ledger.{table}", timeout=1800)
    await connection.execute("CHECKPOINT", timeout=600)
    total: int = await connection.fetchval(
        "SELECT 3 * sum(reltuples)::bigint FROM pg_class WHERE relname LIKE 'gift_entries_2%'"
        " AND relkind = 'r' AND reltuples > 0"
    )
    return total
