"""Balances at any instant: equal to a replay, over sub-accounts, and one step in an index."""

import json
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from ledger.accounts import AccountCode
from ledger.statements import Period
from ledger.store.books import SQL
from tests.support.history import fund, give, send

REPLAY = """
    SELECT coalesce(sum(e.amount_minor), 0)::bigint
    FROM ledger.journal_entries e JOIN ledger.accounts a USING (account_id)
    WHERE a.owner_id IS NOT DISTINCT FROM $1 AND a.code = $2 AND e.posted_at <= $3
"""


@pytest.fixture
async def people(pool):
    """Two payers and a streamer whose earnings are spread over sub-accounts."""
    ann, ben, cleo = uuid4(), uuid4(), uuid4()
    for _ in range(4):
        await fund(pool, ann, 1000)
        await fund(pool, ben, 500)
        await give(pool, ann, cleo, 130)
        await give(pool, ben, cleo, 70)
        await send(pool, ann, cleo, 9, fee_minor=2)
        await send(pool, ben, ann, 5, fee_minor=0)
        await give(pool, ben, ann, 1)
    await pool.execute(
        "INSERT INTO ledger.accounts (code, owner_id, currency, shard)"
        " VALUES ('earnings', $1, 'COIN', 7)",
        cleo,
    )
    await pool.execute(
        """
        WITH moved AS (
            SELECT a.account_id, a.shard, t.transaction_id, t.batch, t.posted_at
            FROM ledger.accounts a, (
                SELECT * FROM ledger.posting_transactions
                ORDER BY posted_at DESC, transaction_id DESC LIMIT 1
            ) t WHERE a.owner_id = $1 AND a.code = 'earnings' AND a.shard IN (0, 7))
        INSERT INTO ledger.posting_entries
            (transaction_id, account_id, amount_minor, balance_minor, batch, posted_at)
        SELECT transaction_id, account_id, CASE shard WHEN 7 THEN 5 ELSE -5 END,
               CASE shard WHEN 7 THEN 5 ELSE 4 * 180 - 5 END, batch, posted_at FROM moved""",
        cleo,
    )
    return ann, ben, cleo


async def test_every_instant_equals_a_replay(pool, ledger, people):
    moments = [
        row[0] for row in await pool.fetch("SELECT DISTINCT posted_at FROM ledger.transactions")
    ]
    moments += [at + timedelta(microseconds=step) for at in moments for step in (-1, 1)]
    for owner, code in (
        *((person, "wallet") for person in people),
        (people[2], "earnings"),
        (None, "issuance"),
        (None, "fees"),
    ):
        for at in moments:
            found = await ledger.balance_at(owner, account=AccountCode(code), at=at)
            assert found == await pool.fetchval(REPLAY, owner, code, at), (code, at)


async def test_a_statement_over_sub_accounts_adds_up(pool, ledger, people):
    moments = sorted(
        row[0] for row in await pool.fetch("SELECT DISTINCT posted_at FROM ledger.transactions")
    )
    for first, last in ((0, len(moments) - 1), (2, 5), (4, 4)):
        end = moments[last] + timedelta(microseconds=1)
        period = Period(moments[first], end)
        lines, cursor = [], None
        while True:
            page = await ledger.statement(
                people[2], account="earnings", cursor=cursor, limit=2, period=period
            )
            lines += page.lines
            cursor = page.next_cursor
            if cursor is None:
                break
        moved = sum(line.amount_minor for line in lines)
        assert page.opening_balance_minor + moved == page.closing_balance_minor
        assert page.closing_balance_minor == await pool.fetchval(
            REPLAY, people[2], "earnings", moments[last]
        )
        assert len({line.entry_id for line in lines}) == len(lines)
        balance = page.closing_balance_minor
        for line in lines:
            assert line.balance_minor == balance
            balance -= line.amount_minor


async def test_it_is_one_step_in_the_index(pool, stores, database_url, people):
    """However many entries there are: no table is read through."""
    root = await asyncpg.connect(
        f"{stores[0].admin_url.rpartition('/')[0]}/{database_url.rpartition('/')[2]}"
    )
    await root.execute("SET session_replication_role = replica")
    await root.execute(
        """
        INSERT INTO ledger.posting_entries
            (transaction_id, account_id, amount_minor, balance_minor, batch, posted_at)
        SELECT gen_random_uuid(), account_id, 1, n, 10^6 + n, now() - interval '1 second' * n
        FROM ledger.accounts, generate_series(1, 3000) n
        """
    )
    await root.execute(
        """
        INSERT INTO ledger.gift_entries
        SELECT 10^6 + n, now() - interval '1 second' * n, 1, 0, 10^6 + n, n, 10^7 + n, n, NULL,
               NULL, gen_random_uuid(), payer.account_id, payee.account_id, NULL, 'Rose'
        FROM ledger.accounts payer, ledger.accounts payee, generate_series(1, 500) n
        """
    )
    await root.execute("ANALYZE ledger.posting_entries, ledger.gift_entries, ledger.accounts")
    await root.execute("SET enable_seqscan = off")  # of months without a row
    at = await root.fetchval("SELECT now() - interval '10 minutes'")
    for name, arguments in (
        ("balance_at", (people[2], "earnings", "COIN", at)),
        ("statement", (people[2], "earnings", "COIN", at - timedelta(1), at, at, -1, 20)),
    ):
        plan = json.loads(await root.fetchval(f"EXPLAIN (FORMAT json) {SQL[name]}", *arguments))
        scans = [
            (node["Node Type"], node.get("Index Name", ""))
            for node in nodes(plan[0]["Plan"])
            if "_entries" in node.get("Relation Name", "")
        ]
        assert scans
        assert all("Index" in kind for kind, _ in scans), scans
        assert all(
            "account_id_posted_at_" in index or "transaction_id_posted_at" in index
            for _, index in scans
        ), scans
    await root.close()


def nodes(plan):
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)
