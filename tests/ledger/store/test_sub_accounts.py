"""Sub-accounts that are opened beside somebody who takes from all of them."""

import asyncio

import asyncpg
import pytest

from ledger.accounts import AccountCode
from ledger.store.writer import GiftWriter
from ledger.transfer import TransferResult
from tests.ledger.store.test_writer import prepared

LOCK = """
SELECT ledger.lock_accounts(ARRAY[
    ROW($1::uuid, 'earnings', 'COIN', -7)::ledger.leg, ROW(NULL, 'fees', 'COIN', -3)::ledger.leg])
"""
LOCK_EARNINGS = """
SELECT ledger.lock_accounts(ARRAY[ROW($1::uuid, 'earnings', 'COIN', -7)::ledger.leg])
"""
TAKE = "SELECT FROM ledger.accounts WHERE account_id = $1 FOR NO KEY UPDATE NOWAIT"


@pytest.fixture
async def taker(pool):
    """Who takes from all sub-accounts, in a transaction."""
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        yield connection
        await transaction.rollback()


@pytest.fixture
async def request_(gift, fund):
    request = gift()
    await fund(request.payer_id, 100)
    return request


async def somebody_waits(pool):
    """Return once a session of this database waits for a row that another has."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(5):
        while not await pool.fetchval(waiting):
            await asyncio.sleep(0.01)


async def test_nobody_opens_one_beside_who_takes_from_all(pool, settings, gift, request_, taker):
    writer = GiftWriter(pool, settings)
    await writer.post([prepared(gift(payer_id=request_.payer_id))])
    await taker.fetch(LOCK_EARNINGS, request_.payee_id)
    posting = asyncio.create_task(writer.post([prepared(request_)]))
    await somebody_waits(pool)
    assert not posting.done()
    number = await taker.fetchval("SELECT ledger.next_batch()")
    await taker.execute("COMMIT; BEGIN")
    [settled] = await posting
    assert settled.result is TransferResult.POSTED
    assert await pool.fetchval("SELECT max(sequence) FROM ledger.event_log") > number
    await writer.close()


async def test_who_takes_from_all_has_those_that_were_opened_while_it_waited(
    pool, settings, request_, taker
):
    async with pool.acquire() as opener:
        async with opener.transaction():
            for owner, code in ((request_.payee_id, "earnings"), (None, "fees")):
                await opener.fetch(
                    "SELECT ledger.open_account($1, $2, 'COIN', 7::smallint)", owner, code
                )
            taking = asyncio.create_task(taker.fetch(LOCK, request_.payee_id))
            await somebody_waits(pool)
            assert not taking.done()
        await taking
    opened = await pool.fetch(
        "SELECT account_id FROM ledger.accounts WHERE code IN ('earnings', 'fees') AND shard = 7"
    )
    assert len(opened) == 2
    for (account,) in opened:
        with pytest.raises(asyncpg.LockNotAvailableError):
            await pool.execute(TAKE, account)


async def test_one_that_has_no_main_row_gets_one(pool, request_, taker):
    """They were opened without, before."""
    account = await pool.fetchval(
        "INSERT INTO ledger.accounts (owner_id, code, currency, shard)"
        " VALUES ($1, 'earnings', 'COIN', 7) RETURNING account_id",
        request_.payee_id,
    )
    await taker.fetch(LOCK_EARNINGS, request_.payee_id)
    with pytest.raises(asyncpg.LockNotAvailableError):
        await pool.execute(TAKE, account)
    shards = "SELECT array_agg(shard ORDER BY shard) FROM ledger.accounts WHERE code = 'earnings'"
    assert await taker.fetchval(shards) == [0, 7]


async def test_two_may_open_one_at_the_same_time(pool, request_):
    opening = "SELECT ledger.open_account($1, 'wallet', 'COIN', $2)"
    async with (
        pool.acquire() as one,
        pool.acquire() as other,
        one.transaction(),
        other.transaction(),
    ):
        for shard, opener in enumerate((one, other), 7):
            await asyncio.wait_for(opener.fetch(opening, request_.payer_id, shard), timeout=5)


async def test_what_was_closed_while_a_writer_waited_is_refused(pool, settings, request_):
    writer = GiftWriter(pool, settings)
    await pool.fetch(
        "SELECT ledger.open_account($1, 'earnings', 'COIN', 0::smallint)", request_.payee_id
    )
    async with pool.acquire() as closer, closer.transaction():
        await closer.fetch("SELECT ledger.close_account($1, 'earnings', 'COIN')", request_.payee_id)
        posting = asyncio.create_task(writer.post([prepared(request_)]))
        await somebody_waits(pool)
    [settled] = await posting
    assert settled.result is TransferResult.ACCOUNT_CLOSED
    await writer.close()


async def test_what_is_opened_meanwhile_is_closed_or_keeps_it_open(pool, store, request_):
    payee, earnings = request_.payee_id, AccountCode.EARNINGS
    opening = "SELECT ledger.open_account($1, 'earnings', 'COIN', 7::smallint)"
    await pool.fetch("SELECT ledger.open_account($1, 'earnings', 'COIN', 0::smallint)", payee)
    async with pool.acquire() as opener, opener.transaction():
        account = await opener.fetchval(opening, payee)
        closing = asyncio.create_task(store.movements.close_account(payee, earnings, "COIN"))
        await somebody_waits(pool)
        earn = "UPDATE ledger.accounts SET balance_minor = $2 WHERE account_id = $1"
        await opener.execute(earn, account, 7)
    assert await closing is TransferResult.ACCOUNT_NOT_EMPTY
    await pool.execute(earn, account, 0)
    assert await store.movements.close_account(payee, earnings, "COIN") is TransferResult.POSTED
    still_open = "SELECT count(*) FROM ledger.accounts WHERE closed_at IS NULL AND owner_id = $1"
    assert await pool.fetchval(still_open, payee) == 0


READ = """
SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables
WHERE relid = 'ledger.accounts'::regclass
"""


@pytest.mark.parametrize("code", ["earnings", "fees"])
async def test_an_account_is_described_without_a_look_at_others(pool, taker, request_, code):
    """They may be millions, and its rows are locked."""
    await pool.execute(
        "INSERT INTO ledger.accounts (owner_id, code, currency)"
        " SELECT gen_random_uuid(), 'earnings', 'COIN' FROM generate_series(1, 3000)"
    )
    owner = request_.payee_id if code == "earnings" else None
    for shard in (7, 0, 3):
        await pool.execute("SELECT ledger.open_account($1, $2, 'COIN', $3)", owner, code, shard)
    await taker.execute("SELECT ledger.describe_account($1, $2, 'COIN', $3)", owner, code, {"a": 1})
    assert await taker.fetchval(READ) < 50
    described = "SELECT shard FROM ledger.accounts WHERE metadata = '{\"a\": 1}' ORDER BY shard"
    assert [row["shard"] for row in await taker.fetch(described)] == [0, 3, 7]
