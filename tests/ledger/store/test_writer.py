"""The writer's connection: pinned plans, lost answers, locked wallets, and faults in a batch."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from config.ledger import LedgerSettings
from ledger.errors import AmountTooLarge, LedgerBusy
from ledger.gifts import prepare
from ledger.money import Split
from ledger.outbox import LogBatch
from ledger.recent import RecentBatches
from ledger.service import LedgerService
from ledger.store import LedgerStore
from ledger.store.writer import BUSY, GiftWriter
from ledger.transfer import TransferResult

R = TransferResult


def service(pool, recorder, **fields):
    """A ledger with settings of the test's own."""
    settings = LedgerSettings(**fields)
    store = LedgerStore(pool, settings)
    return LedgerService(settings, store, wake=recorder.wake, observer=recorder)


def prepared(request, earnings=7, fee=3):
    """As the service makes it."""
    return prepare(
        request,
        split=Split(fee, earnings),
        currency="COIN",
        description="1 × Rose",
        transaction_id=uuid4(),
        event_id=str(uuid4()),
    )


@pytest.fixture
async def writer(pool, settings):
    writer = GiftWriter(pool, settings)
    yield writer
    await writer.close()


async def results(writer, gifts):
    return [settled.result for settled in await writer.post(gifts)]


async def test_what_was_committed_is_handed_over_as_the_log_has_it(pool, settings, gift, fund):
    recent = RecentBatches()
    writer = GiftWriter(pool, settings, recent=recent)
    first, second = gift(), gift(payer_name='Vera "ß" 🌹')
    await fund(first.payer_id, 10)
    await fund(second.payer_id, 20)
    before = await pool.fetchval("SELECT max(sequence) FROM ledger.event_log")
    poor = gift()
    assert await results(writer, [prepared(gift()), prepared(poor)]) == 2 * [R.INSUFFICIENT_FUNDS]
    assert recent.newest == 0
    await writer.post([prepared(each) for each in (first, poor, second)])
    [handed] = recent.behind(before, 10)
    row = await pool.fetchrow(
        "SELECT sequence, event_count, posted_at, events FROM ledger.event_log WHERE sequence > $1",
        before,
    )
    assert handed == LogBatch(*list(row.values())[:3], row["events"].encode())
    await writer.post([prepared(first)])  # again, so nothing is committed
    assert recent.newest == handed.sequence
    await writer.close()


async def test_a_batch_is_judged_gift_by_gift_in_order_of_arrival(writer, gift, fund):
    ada, ben, poor = uuid4(), uuid4(), uuid4()
    await fund(ada, 25)
    await fund(ben, 10)
    first, second = gift(payer_id=ada), gift(payer_id=ada)
    batch = [
        first,
        gift(payer_id=poor),
        replace(first, payer_name="Vera II"),
        gift(payer_id=ben),
        replace(first, count=2),
        second,
        gift(payer_id=ada),
        replace(second, gift_id="heart"),
        replace(first, payer_id=ben),
    ]
    settled = await writer.post([prepared(request) for request in batch])
    assert [each.result for each in settled] == [
        R.POSTED,
        R.INSUFFICIENT_FUNDS,
        R.REPEATED,
        R.POSTED,
        R.IDEMPOTENCY_MISMATCH,
        R.POSTED,
        R.INSUFFICIENT_FUNDS,
        R.IDEMPOTENCY_MISMATCH,
        R.INSUFFICIENT_FUNDS,
    ]
    assert [each.balance_minor for each in settled if each.result is R.POSTED] == [15, 0, 5]
    assert [each.balance_minor for each in settled if each.result is R.INSUFFICIENT_FUNDS] == [
        0,
        5,
        0,
    ]
    assert '"balance_minor":15' in settled[2].answer


async def test_what_one_cannot_pay_another_gift_behind_it_may(writer, gift, fund):
    payer = uuid4()
    await fund(payer, 25)
    batch = [prepared(gift(payer_id=payer), total - 3) for total in (20, 30, 5, 5)]
    assert await results(writer, batch) == [
        R.POSTED,
        R.INSUFFICIENT_FUNDS,
        R.POSTED,
        R.INSUFFICIENT_FUNDS,
    ]


async def test_a_refused_request_may_be_sent_again_in_the_same_batch(writer, gift, fund):
    request = gift()
    await fund(request.payer_id, 10)
    batch = [prepared(request, 27), prepared(request), prepared(request)]
    assert await results(writer, batch) == [R.INSUFFICIENT_FUNDS, R.POSTED, R.REPEATED]


async def test_a_batch_is_one_row_of_the_log_with_what_was_accepted(writer, gift, fund, pool):
    payer, payee = uuid4(), uuid4()
    await fund(payer, 20)
    batch = [gift(payer_id=payer, payee_id=payee) for _ in range(3)]
    settled = await writer.post([prepared(request) for request in batch])
    row = await pool.fetchrow(
        "SELECT sequence, event_count, posted_at, events::jsonb FROM ledger.event_log"
        " ORDER BY sequence DESC LIMIT 1"
    )
    assert (row["event_count"], len(row["events"])) == (2, 2)
    assert row["posted_at"] == settled[0].posted_at
    assert [e["data"]["payer_balance_minor"] for e in row["events"]] == [10, 0]
    assert [e["data"]["payee_balance_minor"] for e in row["events"]] == [7, 14]
    assert {e["sequence"] for e in row["events"]} == {row["sequence"]}
    batches = await pool.fetch(
        "SELECT batch, count(*) FROM ledger.journal_entries GROUP BY 1 ORDER BY 1 DESC LIMIT 1"
    )
    assert tuple(batches[0]) == (row["sequence"], 6)


async def test_writers_have_sub_accounts_of_their_own_and_readers_sum_them(
    pool, settings, gift, fund, ledger
):
    payer, payee = uuid4(), uuid4()
    await fund(payer, 100)
    writers = [GiftWriter(pool, settings) for _ in range(3)]
    for writer in writers:
        await writer.post([prepared(gift(payer_id=payer, payee_id=payee))])
    rows = await pool.fetch(
        "SELECT shard, balance_minor FROM ledger.accounts WHERE owner_id = $1 ORDER BY 1", payee
    )
    assert [tuple(row) for row in rows] == [(0, 0), (1, 7), (2, 7), (3, 7)]
    assert (await ledger.wallet(payee)).earnings_minor == 21
    newest = "SELECT events::jsonb FROM ledger.event_log ORDER BY sequence DESC LIMIT 1"
    assert (await pool.fetchval(newest))[0]["data"]["payee_balance_minor"] == 21
    statement = await ledger.statement(payee, account="earnings", cursor=None, limit=2)
    assert [line.balance_minor for line in statement.lines] == [21, 14]
    rest = await ledger.statement(payee, account="earnings", cursor=statement.next_cursor, limit=2)
    assert [line.balance_minor for line in rest.lines] == [7]
    await asyncio.gather(*(writer.close() for writer in writers))


async def test_a_shard_is_free_again_when_its_writer_is_gone(pool, settings, gift, fund):
    payer = uuid4()
    await fund(payer, 100)
    for _ in range(2):
        writer = GiftWriter(pool, settings)
        await writer.post([prepared(gift(payer_id=payer))])
        backends = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        assert await pool.fetchval(backends) == 1
        await writer.close()
        async with asyncio.timeout(10):
            while await pool.fetchval(backends):
                await asyncio.sleep(0)
    shards = "SELECT DISTINCT shard FROM ledger.accounts WHERE code = 'earnings' ORDER BY 1"
    assert [row["shard"] for row in await pool.fetch(shards)] == [0, 1]


async def test_a_balance_that_would_not_fit_spoils_the_whole_batch(writer, gift, fund, pool):
    payer = uuid4()
    await fund(payer, 10)
    sound = prepared(gift(payer_id=payer))
    huge = [prepared(gift(payer_id=payer), 2**62, 2**62 - 3) for _ in range(2)]
    with pytest.raises(OverflowError):
        await writer.post([sound, *huge])
    assert await results(writer, [sound]) == [R.POSTED]
    assert await results(writer, huge[:1]) == [R.INSUFFICIENT_FUNDS]


async def test_plans_made_on_empty_tables_stay_good(writer, gift, fund, pool):
    payer = uuid4()
    await fund(payer, 10**6)
    for _ in range(3):
        await writer.post([prepared(gift(payer_id=payer)) for _ in range(5)])
    await pool.execute(
        "INSERT INTO ledger.accounts (code, owner_id, currency)"
        " SELECT 'wallet', gen_random_uuid(), 'COIN' FROM generate_series(1, 5000)"
    )
    backend = writer._connection
    scans = "SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE schemaname = 'ledger'"
    await backend.execute("SELECT pg_stat_force_next_flush()")
    before = await backend.fetchval(scans)
    for _ in range(3):
        await writer.post([prepared(gift(payer_id=payer)) for _ in range(5)])
    await backend.execute("SELECT pg_stat_force_next_flush()")
    assert await backend.fetchval(scans) == before


async def test_a_clock_that_jumps_back_does_not_turn_an_accounts_time_round(
    writer, gift, fund, pool
):
    request = gift()
    await fund(request.payer_id, 100)
    for account in (request.payer_id, request.payee_id):
        await writer.post([prepared(replace(request, request_id=uuid4()))])
        await pool.execute(
            "UPDATE ledger.accounts SET moved_at = now() + interval '1 day'"
            " WHERE owner_id = $1 AND moved_at > 'epoch'",
            account,
        )
        expected = await pool.fetchval(
            "SELECT max(moved_at) FROM ledger.accounts WHERE owner_id = $1", account
        )
        [settled] = await writer.post([prepared(replace(request, request_id=uuid4()))])
        assert settled.posted_at == expected
        stated = await pool.fetch(
            "SELECT DISTINCT moved_at FROM ledger.accounts"
            " WHERE code <> 'issuance' AND moved_at > 'epoch'"
        )
        assert [row["moved_at"] for row in stated] == [expected]


async def test_an_answer_lost_after_the_commit_is_asked_for_again(
    proxy, distant_pool, recorder, gift, fund
):
    ledger = service(distant_pool, recorder)
    request = gift()
    await fund(request.payer_id, 100)
    await ledger.wallet(request.payer_id)
    await ledger.send_gift(replace(request, request_id=uuid4()))  # all is prepared and open by now
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


async def test_a_locked_wallet_is_busy_alone_among_gifts_that_are_posted_before_it(
    pool, recorder, gift, fund
):
    known, new = gift(), gift()
    for request in (known, new):
        await fund(request.payer_id, 100)
    impatient = service(pool, recorder, lock_timeout_s=0.05)
    await impatient.send_gift(replace(known, request_id=uuid4()))  # the writer has met this payee
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "SELECT FROM ledger.accounts WHERE owner_id = $1 FOR UPDATE", new.payer_id
        )
        posted, stuck = await asyncio.gather(
            impatient.send_gift(known), impatient.send_gift(new), return_exceptions=True
        )
    assert isinstance(stuck, LedgerBusy)
    assert posted.balance_minor == 80
    assert (await impatient.wallet(known.payer_id)).balance_minor == 80


async def test_gifts_that_need_a_locked_account_are_busy_and_the_others_posted(pool, gift, fund):
    writer = GiftWriter(pool, LedgerSettings(lock_timeout_s=0.05))
    payer, stuck, payee = uuid4(), uuid4(), uuid4()
    for person in (payer, stuck):
        await fund(person, 100)
    batch = [
        gift(payer_id=payer),
        gift(payer_id=stuck),
        gift(payer_id=payer, payee_id=payee),
        gift(payer_id=payer, payee_id=stuck),
    ]
    await writer.post([prepared(gift(payer_id=payer, payee_id=payee))])
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "SELECT FROM ledger.accounts WHERE owner_id = ANY($1) FOR UPDATE", [stuck, payee]
        )
        assert await results(writer, [prepared(request) for request in batch]) == [
            R.POSTED,
            BUSY,
            BUSY,
            R.POSTED,
        ]
    assert await results(writer, [prepared(request) for request in batch]) == [
        R.REPEATED,
        R.POSTED,
        R.POSTED,
        R.REPEATED,
    ]
    await writer.close()


async def test_all_are_busy_where_it_is_nobodys_own_account_that_is_locked(pool, gift, fund):
    writer = GiftWriter(pool, LedgerSettings(lock_timeout_s=0.05))
    request = gift()
    await fund(request.payer_id, 100)
    await writer.post([prepared(request)])
    again = gift(payer_id=request.payer_id)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM ledger.accounts WHERE code = 'fees' FOR UPDATE")
        with pytest.raises(LedgerBusy):
            await writer.post([prepared(again)])
    assert await results(writer, [prepared(again)]) == [R.POSTED]
    await writer.close()


async def test_all_are_busy_at_once_while_the_table_of_accounts_is_locked(pool, gift, fund):
    writer = GiftWriter(pool, LedgerSettings(lock_timeout_s=0.05))
    request = gift()
    await fund(request.payer_id, 100)
    await writer.post([prepared(request)])
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE ledger.accounts IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(LedgerBusy):
            await writer.post([prepared(gift(payer_id=request.payer_id))])
    await writer.close()


async def test_only_the_gift_that_its_payee_has_no_room_for_is_refused(ledger, pool, gift, fund):
    full = gift()
    await fund(full.payer_id, 1_000)
    await ledger.send_gift(full)
    await pool.execute(
        "UPDATE ledger.accounts SET balance_minor = $2 WHERE owner_id = $1 AND shard > 0",
        *(full.payee_id, 2**63 - 3),
    )
    gifts = [gift(payer_id=full.payer_id) for _ in range(8)]
    gifts[3] = replace(full, request_id=uuid4())
    answers = await asyncio.gather(*map(ledger.send_gift, gifts), return_exceptions=True)
    assert isinstance(answers.pop(3), AmountTooLarge)
    assert {answer.total_minor for answer in answers} == {10}


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
    impatient = service(pool, recorder, lock_timeout_s=0.05)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "SELECT FROM ledger.accounts WHERE owner_id = $1 FOR UPDATE", request.payer_id
        )
        with pytest.raises(LedgerBusy):
            await impatient.send_gift(request)
        other = gift()
        await fund(other.payer_id, 100)
        stuck, free = await asyncio.gather(
            impatient.send_gift(request), impatient.send_gift(other), return_exceptions=True
        )
        assert isinstance(stuck, LedgerBusy)
        assert free.balance_minor == 90
    receipt = await ledger.send_gift(request)
    assert (receipt.balance_minor, receipt.repeated) == (90, False)
