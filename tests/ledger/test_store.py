"""The store: what PostgreSQL refuses whoever asks, and what happens when PostgreSQL is away."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from config.ledger import LedgerSettings
from ledger.accounts import CHART
from ledger.errors import LedgerBusy
from ledger.service import LedgerService
from ledger.store import LedgerStore

TABLES = ("journal_entries", "transactions", "event_log", "accounts")
HASH = b"h" * 32
POST_GIFT = (
    "SELECT result FROM ledger.post_gift($1, $2, $3, 'V', $4, $5, 'rose', 1, $6, $7, 'COIN', 'x')"
)
INSERT_ENTRIES = """
    INSERT INTO ledger.journal_entries
        (transaction_id, account_id, amount_minor, balance_minor, posted_at)
    SELECT t, a, m, 0, now() FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS e (t, a, m)
"""


def service(pool, recorder, **fields):
    """A ledger with settings of the test's own."""
    settings = LedgerSettings(**fields)
    store = LedgerStore(pool, settings)
    return LedgerService(settings, store, wake=recorder.wake, observer=recorder)


# ---- backstops ----


async def test_the_chart_in_the_database_is_the_chart(pool):
    rows = await pool.fetch("SELECT code, per_user FROM ledger.chart")
    assert {r["code"]: r["per_user"] for r in rows} == {
        line.code: line.per_user for line in CHART.values()
    }


async def test_nothing_in_the_books_is_ever_changed_or_removed(pool, fund):
    await fund(uuid4(), 100)
    for statement in (
        *(f"DELETE FROM ledger.{table}" for table in TABLES),
        *(f"TRUNCATE ledger.{table}" for table in TABLES),
        "UPDATE ledger.journal_entries SET amount_minor = 1",
        "UPDATE ledger.journal_entries SET balance_minor = 1 WHERE false",
        "UPDATE ledger.transactions SET memo = ''",
        "UPDATE ledger.event_log SET data = '{}'",
        "UPDATE ledger.accounts SET owner_id = gen_random_uuid()",
        "UPDATE ledger.accounts SET currency = 'EURO'",
        "UPDATE ledger.accounts SET code = 'fees'",
    ):
        with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
            await pool.execute(statement)


async def test_only_issuance_goes_below_zero(pool, ledger, gift, fund):
    request = gift()
    await fund(request.payer_id, 100)
    await ledger.send_gift(request)
    rows = await pool.fetch("SELECT account_id, code FROM ledger.accounts")
    account = {row["code"]: row["account_id"] for row in rows}
    assert set(account) == set(CHART)
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
    euro = await pool.fetchval("SELECT ledger.user_account('wallet', $1, 'EURO')", uuid4())
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


async def test_the_function_takes_no_unsound_gift(pool, fund):
    payer = uuid4()
    await fund(payer, 100)
    for payee, total, fee in (
        (uuid4(), 0, 0),
        (uuid4(), -5, 0),
        (uuid4(), 10, 11),
        (uuid4(), 10, -1),
        (payer, 10, 3),
    ):
        with pytest.raises(asyncpg.AssertError):
            await pool.fetchval(POST_GIFT, payer, uuid4(), HASH, payee, uuid4(), total, fee)


async def test_ids_of_the_database_are_version_7_and_tell_their_time(pool):
    made, millis = await pool.fetchrow(
        "SELECT ledger.uuid_v7(at), (extract(epoch FROM at) * 1000)::bigint"
        " FROM (SELECT date_trunc('milliseconds', clock_timestamp()) AS at)"
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


async def test_plans_made_on_empty_tables_stay_good(pool, fund):
    payer, payee = uuid4(), uuid4()
    await fund(payer, 10**6)
    async with pool.acquire() as connection:

        async def post(times):
            for _ in range(times):
                posted = [payer, uuid4(), HASH, payee, uuid4(), 10, 3]
                assert await connection.fetchval(POST_GIFT, *posted) == "posted"

        await post(10)  # PL/pgSQL keeps its plans from the sixth call on
        await pool.execute(
            "INSERT INTO ledger.accounts (code, owner_id, currency)"
            " SELECT 'wallet', gen_random_uuid(), 'COIN' FROM generate_series(1, 5000)"
        )
        scans = (
            "SELECT seq_tup_read FROM pg_stat_user_tables WHERE relid = 'ledger.accounts'::regclass"
        )
        await connection.execute("SELECT pg_stat_force_next_flush()")
        before = await connection.fetchval(scans)
        await post(10)
        await connection.execute("SELECT pg_stat_force_next_flush()")
        assert await connection.fetchval(scans) == before


# ---- outages ----


async def test_an_answer_lost_after_the_commit_is_asked_for_again(
    proxy, distant_pool, recorder, gift, fund
):
    ledger = service(distant_pool, recorder)
    request = gift()
    await fund(request.payer_id, 100)
    await ledger.wallet(request.payer_id)
    await ledger.send_gift(gift(payer_id=request.payer_id))  # its statement is prepared by now
    wakes = recorder.wakes
    proxy.lose_next_answer()
    receipt = await ledger.send_gift(request)
    assert proxy.lost == 1
    assert (receipt.balance_minor, receipt.repeated) == (80, True)
    assert recorder.wakes == wakes + 1
    assert (await ledger.wallet(request.payer_id)).balance_minor == 80


async def test_a_database_that_is_away_is_busy_and_comes_back(
    proxy, distant_pool, recorder, gift, fund
):
    ledger = service(distant_pool, recorder)
    request = gift()
    await fund(request.payer_id, 100)
    await ledger.wallet(request.payer_id)
    await proxy.refuse()
    for call in (ledger.send_gift(request), ledger.wallet(request.payer_id)):
        with pytest.raises(LedgerBusy):
            await call
    await proxy.accept()
    assert (await ledger.send_gift(request)).balance_minor == 90


async def test_an_exhausted_pool_is_busy(pool, recorder, ledger, gift, fund):
    request = gift()
    await fund(request.payer_id, 100)
    impatient = service(pool, recorder, acquire_timeout_s=0.05)
    held = [await pool.acquire() for _ in range(pool.get_max_size())]
    with pytest.raises(LedgerBusy):
        await impatient.send_gift(request)
    await pool.release(held.pop())
    assert not (await ledger.send_gift(request)).repeated


async def test_a_wallet_that_stays_locked_is_busy_and_posts_nothing(
    pool, recorder, ledger, gift, fund
):
    request = gift()
    await fund(request.payer_id, 100)
    impatient = service(pool, recorder, statement_timeout_s=0.1)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM ledger.accounts FOR UPDATE")
        with pytest.raises(LedgerBusy):
            await impatient.send_gift(request)
    receipt = await ledger.send_gift(request)
    assert (receipt.balance_minor, receipt.repeated) == (90, False)


async def test_a_mistake_of_ours_is_not_called_an_outage(store):
    with pytest.raises(asyncpg.UndefinedTableError):
        await store._fetch("SELECT nothing FROM nowhere")
    with pytest.raises(asyncpg.DataError):
        await store._fetch("SELECT $1::bigint", "x")
