"""What PostgreSQL itself refuses, whoever asks."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from ledger.accounts import CHART
from tests.support.history import fund as fund_in_books
from tests.support.history import reserve, reverse, send

TABLES = (
    "posting_entries",
    "gift_entries",
    "posting_transactions",
    "event_log",
    "accounts",
    "requests",
)
INSERT_ENTRIES = """
    INSERT INTO ledger.posting_entries
        (transaction_id, account_id, amount_minor, balance_minor, batch, posted_at)
    SELECT t, a, m, 0, 1, now() FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS e (t, a, m)
"""


async def test_the_chart_in_the_database_is_the_chart(pool):
    rows = await pool.fetch("SELECT code, per_user, guarded FROM ledger.chart")
    assert {r["code"]: (r["per_user"], r["guarded"]) for r in rows} == {
        line.code: (line.per_user, line.guarded) for line in CHART.values()
    }


async def test_nothing_in_the_books_is_ever_changed_or_removed(pool, fund):
    await fund(uuid4(), 100)
    for statement in (
        *(f"DELETE FROM ledger.{table}" for table in TABLES),
        *(f"TRUNCATE ledger.{table} CASCADE" for table in TABLES),
        "UPDATE ledger.posting_entries SET amount_minor = 1",
        "UPDATE ledger.posting_entries SET balance_minor = 1 WHERE false",
        "UPDATE ledger.gift_entries SET total_minor = 1 WHERE false",
        "UPDATE ledger.posting_transactions SET memo = ''",
        "UPDATE ledger.event_log SET events = '[]'",
        "UPDATE ledger.requests SET request_hash = ''",
        "UPDATE ledger.accounts SET owner_id = gen_random_uuid()",
        "UPDATE ledger.accounts SET currency = 'EURO'",
        "UPDATE ledger.accounts SET code = 'fees'",
    ):
        with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
            await pool.execute(statement)


async def test_only_what_is_not_guarded_goes_below_zero(pool, ledger, gift, fund):
    request = gift()
    await fund(request.payer_id, 100)
    await ledger.send_gift(request)
    rows = await pool.fetch("SELECT account_id, code FROM ledger.accounts")
    account = {row["code"]: row["account_id"] for row in rows}
    for line in CHART.values():
        account.setdefault(
            line.code,
            await pool.fetchval(
                "SELECT ledger.open_account($1, $2, 'COIN', 0::smallint)",
                uuid4() if line.per_user else None,
                line.code,
            ),
        )
    overdraw = "UPDATE ledger.accounts SET balance_minor = -1 WHERE account_id = $1"
    for line in CHART.values():
        if line.guarded:
            with pytest.raises(asyncpg.CheckViolationError, match="never_below_zero"):
                await pool.execute(overdraw, account[line.code])
        else:
            await pool.execute(overdraw, account[line.code])


async def test_entries_that_do_not_sum_to_zero_are_refused(pool, fund):
    await fund(uuid4(), 100)
    transaction = await pool.fetchval("SELECT transaction_id FROM ledger.transactions")
    one, other = await pool.fetchrow(
        "SELECT min(account_id::text)::uuid, max(account_id::text)::uuid FROM ledger.accounts"
    )
    await pool.execute("INSERT INTO ledger.currencies VALUES ('EURO', 2)")
    euro = await pool.fetchval(
        "SELECT ledger.open_account($1, 'wallet', 'EURO', 0::smallint)", uuid4()
    )
    await pool.execute(INSERT_ENTRIES, [transaction] * 2, [one, other], [5, -5])
    for transactions, accounts, amounts in (
        ([transaction], [one], [5]),
        ([transaction] * 2, [one, other], [5, -4]),
        ([transaction] * 2, [one, euro], [5, -5]),
        ([transaction, uuid4()], [one, other], [5, -5]),
        ([uuid4()] * 2, [one, other], [5, -5]),
        ([transaction] * 2, [one, uuid4()], [5, -5]),
        ([transaction] * 2, [uuid4()] * 2, [5, -5]),
    ):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="sum to zero"):
            await pool.execute(INSERT_ENTRIES, transactions, accounts, amounts)
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute(INSERT_ENTRIES, [transaction], [one], [0])


GIFT = {
    "description": "'1 × Rose'",
    "batch": "1",
    "posted_at": "now()",
    "total_minor": "10",
    "fee_minor": "3",
    "transaction_id": "gen_random_uuid()",
    **{
        f"{leg}_{column}": value
        for leg in ("payer", "payee", "house")
        for column, value in (
            ("entry_id", "1"),
            ("balance_minor", "0"),
            ("account_id", "gen_random_uuid()"),
        )
    },
}


def nothing_of(leg: str) -> dict[str, str]:
    return {name: "NULL" for name in GIFT if name.startswith(leg)}


@pytest.mark.parametrize(
    ("changed", "legs"),
    [
        ({}, [-10, 7, 3]),
        ({"fee_minor": "0", **nothing_of("house")}, [-10, 10]),
        ({"fee_minor": "10", **nothing_of("payee")}, [-10, 10]),
        ({"total_minor": "0", "fee_minor": "0"}, None),
        ({"total_minor": "-10"}, None),
        ({"fee_minor": "-1"}, None),
        ({"fee_minor": "11"}, None),
        ({"fee_minor": "0"}, None),
        ({"fee_minor": "10"}, None),
        (nothing_of("house"), None),
        (nothing_of("payee"), None),
        *(({name: "NULL"}, None) for name in GIFT),
    ],
)
async def test_a_gift_is_a_sound_one_or_none(pool, changed, legs):
    """Its entries sum to zero, and nothing is where no entry is."""
    row = GIFT | changed
    insert = pool.execute(
        f"INSERT INTO ledger.gift_entries ({', '.join(row)}) SELECT {', '.join(row.values())}"
    )
    if legs is None:
        with pytest.raises((asyncpg.CheckViolationError, asyncpg.NotNullViolationError)):
            await insert
    else:
        await insert
        entries = await pool.fetch("SELECT amount_minor FROM ledger.journal_entries")
        assert [row["amount_minor"] for row in entries] == legs


async def test_a_partition_named_by_itself_is_as_strict(pool, fund):
    await fund(uuid4(), 100)
    rows = await pool.fetch(
        "SELECT inhparent::regclass::text AS parent, inhrelid::regclass::text AS name"
        " FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE c.relkind = 'r'"
    )
    assert len(rows) >= 10
    for row in rows:
        with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
            await pool.execute(f"DELETE FROM {row['name']}")
        if row["parent"].endswith("posting_entries"):
            with pytest.raises(asyncpg.IntegrityConstraintViolationError):
                await pool.execute(
                    INSERT_ENTRIES.replace("ledger.posting_entries", row["name"]).replace(
                        "now()", "$4"
                    ),
                    [uuid4()],
                    [uuid4()],
                    [5],
                    (await pool.fetchval("SELECT now()")),
                )


async def test_what_is_held_cannot_be_spent(pool, fund):
    user = uuid4()
    await fund(user, 100)
    hold = "UPDATE ledger.accounts SET held_minor = $2 WHERE owner_id = $1"
    await pool.execute(hold, user, 60)
    for statement in (
        "UPDATE ledger.accounts SET balance_minor = balance_minor - 41 WHERE owner_id = $1",
        "UPDATE ledger.accounts SET held_minor = 101 WHERE owner_id = $1",
        "UPDATE ledger.accounts SET held_minor = -1 WHERE owner_id = $1",
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            await pool.execute(statement, user)


async def test_what_is_not_empty_cannot_be_closed(pool, fund):
    user = uuid4()
    await fund(user, 100)
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute(
            "SET LOCAL ledger.change_is_noted = on;"
            f" UPDATE ledger.accounts SET closed_at = now() WHERE owner_id = '{user}'"
        )


@pytest.mark.parametrize("column", ["closed_at = now()", "metadata = '{\"why\": 1}'"])
async def test_nothing_of_an_account_changes_unknown_to_the_chain(pool, fund, column):
    await fund(uuid4(), 100)
    with pytest.raises(asyncpg.RestrictViolationError, match="has to know"):
        await pool.execute(f"UPDATE ledger.accounts SET {column}")


@pytest.mark.parametrize(("code", "currency"), [("pocket", "COIN"), ("wallet", "SHELL")])
async def test_an_account_has_a_code_and_a_currency_that_exist(pool, code, currency):
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await pool.execute(
            "INSERT INTO ledger.accounts (owner_id, code, currency)"
            " VALUES (gen_random_uuid(), 'wallet', 'COIN'), (gen_random_uuid(), $1, $2)",
            code,
            currency,
        )
    assert await pool.fetchval("SELECT count(*) FROM ledger.accounts") == 0


@pytest.mark.parametrize("table", ["chart", "currencies"])
@pytest.mark.parametrize("change", ["DELETE FROM", "TRUNCATE"])
async def test_what_accounts_refer_to_stays(pool, table, change):
    with pytest.raises(asyncpg.RestrictViolationError):
        await pool.execute(f"{change} ledger.{table}")


async def test_a_hold_is_on_an_account_that_exists(pool):
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await pool.execute(
            "INSERT INTO ledger.holds (hold_id, account_id, amount_minor, reason, created_at,"
            " expires_at) VALUES (gen_random_uuid(), gen_random_uuid(), 1, 'payout', now(),"
            " now() + interval '1 day')"
        )


async def test_what_was_captured_grows_and_a_closed_hold_is_final(pool, fund):
    user = uuid4()
    await fund(user, 100)
    await reserve(pool, user, 50)
    await pool.execute("UPDATE ledger.holds SET captured_minor = 20")
    with pytest.raises(asyncpg.RestrictViolationError, match="only grows"):
        await pool.execute("UPDATE ledger.holds SET captured_minor = 19")
    await pool.execute("UPDATE ledger.holds SET state = 'voided', closed_at = now()")
    for change in ("state = 'open', closed_at = NULL", "state = 'expired'", "captured_minor = 21"):
        with pytest.raises(asyncpg.RestrictViolationError, match="is final"):
            await pool.execute(f"UPDATE ledger.holds SET {change}")


async def test_what_was_taken_back_only_grows(pool):
    payer, payee = uuid4(), uuid4()
    await fund_in_books(pool, payer, 100)
    await reverse(pool, await send(pool, payer, payee, 100, fee_minor=30), 40)
    await pool.execute("UPDATE ledger.reversals SET reversed_minor = 41")
    with pytest.raises(asyncpg.RestrictViolationError, match="only grows"):
        await pool.execute("UPDATE ledger.reversals SET reversed_minor = 40")


async def test_an_account_is_opened_empty(pool):
    with pytest.raises(asyncpg.RestrictViolationError, match="something on it"):
        await pool.execute(
            "INSERT INTO ledger.accounts (owner_id, code, currency, balance_minor)"
            " VALUES (gen_random_uuid(), 'wallet', 'COIN', 1)"
        )


async def test_nothing_looks_at_each_changed_row_of_an_account(pool):
    """One trigger of a row is a tenth of the price of a gift (docs/decisions)."""
    rows = await pool.fetch(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = 'ledger.accounts'::regclass"
        " AND tgtype & 1 <> 0"
    )
    assert [row["tgname"] for row in rows] == []


async def test_ids_of_the_database_are_version_7_and_tell_their_time(pool):
    made, millis = await pool.fetchrow(
        "SELECT ledger.uuid_v7(at), (extract(epoch FROM at) * 1000)::bigint"
        " FROM (SELECT date_trunc('milliseconds', clock_timestamp()) AS at) now"
    )
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert made.int >> 80 == millis


async def test_running_balances_are_the_sum_of_what_came_before(pool, ledger, gift, fund):
    request = gift()
    await fund(request.payer_id, 1000)
    await asyncio.gather(
        *(
            ledger.send_gift(gift(payer_id=request.payer_id, payee_id=request.payee_id, count=n))
            for n in range(1, 11)
        )
    )
    broken = await pool.fetch(
        """
        SELECT * FROM (
            SELECT balance_minor AS stated, sum(amount_minor)
                OVER (PARTITION BY account_id ORDER BY entry_id) AS replayed
            FROM ledger.journal_entries) e
        WHERE stated <> replayed
        """
    )
    assert broken == []
