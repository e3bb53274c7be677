"""Requests in the books: their first answers, and what archiving leaves of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from config.ledger import DEFAULT_GIFTS, LedgerSettings
from ledger.errors import IdempotencyMismatch, RequestExpired, UnknownGift
from ledger.gifts import GiftReceipt
from ledger.service import LedgerService
from ledger.transfer import TransferResult


async def test_a_first_answer_is_found_by_its_hash(ledger, store, gift, fund):
    request = gift()
    await fund(request.payer_id, 10)
    key = (request.payer_id, request.request_id)
    assert await store.first_answer(*key, request.request_hash()) is None
    receipt = await ledger.send_gift(request)
    result, answer = await store.first_answer(*key, request.request_hash())
    assert result is TransferResult.REPEATED
    assert answer["transaction_id"] == str(receipt.transaction_id)
    result, answer = await store.first_answer(*key, b"x" * 32)
    assert (result, answer) == (TransferResult.IDEMPOTENCY_MISMATCH, {})


async def test_the_same_bytes_are_answered_each_time(ledger, pool, gift, fund):
    request = gift()
    await fund(request.payer_id, 10)
    await ledger.send_gift(request)
    first = "SELECT answer FROM ledger.first_answer($1, $2, $3)"
    key = (request.payer_id, request.request_id, request.request_hash())
    answers = {await pool.fetchval(first, *key) for _ in range(3)}
    assert len(answers) == 1


async def test_after_thirty_days_the_answer_is_archived_and_the_key_stays(ledger, gift, fund, pool):
    request = gift()
    await fund(request.payer_id, 100)
    receipt = await ledger.send_gift(request)
    now = datetime.now(UTC)
    assert await ledger.archive_requests(now + timedelta(days=29)) == 0
    assert isinstance(await ledger.send_gift(request), GiftReceipt)
    assert await ledger.archive_requests(now + timedelta(days=31)) == 2
    assert await ledger.archive_requests(now + timedelta(days=31)) == 0
    with pytest.raises(RequestExpired):
        await ledger.send_gift(request)
    with pytest.raises(IdempotencyMismatch):
        await ledger.send_gift(replace(request, count=2))
    assert (await ledger.wallet(request.payer_id)).balance_minor == receipt.balance_minor
    row = await pool.fetchrow(
        "SELECT request_hash, answer, transaction_id FROM ledger.requests WHERE caller_id = $1",
        request.payer_id,
    )
    assert tuple(row) == (request.request_hash(), None, receipt.transaction_id)


DAY = timedelta(days=1)


async def answers_left(pool) -> int:
    return await pool.fetchval("SELECT count(*) FROM ledger.requests WHERE answer IS NOT NULL")


async def fill(pool, requests: int) -> int:
    """So many requests; the blocks that they take."""
    await pool.execute(
        "INSERT INTO ledger.requests (caller_id, request_id, request_hash, posted_at, answer)"
        " SELECT gen_random_uuid(), gen_random_uuid(), $2, now(), '{}'"
        " FROM generate_series(1, $1)",
        requests,
        b"x" * 32,
    )
    return await pool.fetchval(
        "SELECT pg_relation_size('ledger.requests') / current_setting('block_size')::bigint"
    )


async def test_old_answers_are_archived_block_by_block_and_each_block_is_seen_once_a_round(
    store, pool
):
    blocks = await fill(pool, 1_000)
    before = datetime.now(UTC) + DAY
    seen, left = 0, 1_000
    while True:
        archived, is_over = await store.archive_answers(before, every=DAY, blocks=1)
        seen += 1
        left -= archived
        assert archived < 100
        assert await answers_left(pool) == left
        if is_over:
            break
    assert left == 0
    assert blocks < seen < 2 * blocks + 2  # as written anew, they take more
    assert await store.archive_answers(before, every=DAY, blocks=1) == (0, True)


async def test_who_archives_goes_on_where_the_round_was(store, pool):
    await fill(pool, 1_000)
    before = datetime.now(UTC) + DAY
    first, is_over = await store.archive_answers(before, every=DAY, blocks=4)
    assert (first > 0, is_over) == (True, False)
    # It takes what is older than it began with, whoever goes on.
    second, _ = await store.archive_answers(before - 2 * DAY, every=DAY, blocks=4)
    assert second > 0
    third, is_over = await store.archive_answers(before, every=DAY, blocks=1_000)
    assert (first + second + third, is_over) == (1_000, True)


async def test_one_archives_at_a_time_and_nobody_waits(store, pool):
    await fill(pool, 10)
    async with pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM ledger.archiving FOR UPDATE")
        before = datetime.now(UTC) + DAY
        assert await store.archive_answers(before, every=DAY, blocks=100) == (0, True)
    assert await store.archive_answers(before, every=DAY, blocks=100) == (10, True)


async def test_a_round_begins_once_a_day_and_after_a_clock_that_was_ahead(store, pool):
    now = datetime.now(UTC) + DAY
    for before, archived in (
        (now, 10),
        (now + DAY / 2, 0),  # too early
        (now + DAY, 20),
        (now + 300 * DAY, 10),
        (now + 2 * DAY, 10),  # it was ahead by far
        (now + 2.5 * DAY, 0),
    ):
        await fill(pool, 10)
        answer = await store.archive_answers(before, every=DAY, blocks=1_000)
        assert answer == (archived, True)


async def test_archiving_looks_at_its_blocks_alone(store, pool):
    await fill(pool, 1_000)
    stats = "SELECT pg_stat_force_next_flush(), seq_tup_read FROM pg_stat_user_tables"
    stats += " WHERE relid = 'ledger.requests'::regclass"
    await pool.fetchrow(stats)
    read = (await pool.fetchrow(stats))["seq_tup_read"]
    before = datetime.now(UTC) + DAY
    for _ in range(10):
        await store.archive_answers(before, every=DAY, blocks=1)
    await pool.fetchrow(stats)
    assert 0 < (await pool.fetchrow(stats))["seq_tup_read"] - read < 1_000


async def test_a_gift_that_left_the_catalogue_is_still_answered(
    ledger, store, gift, fund, recorder
):

    request = gift()
    await fund(request.payer_id, 100)
    first = await ledger.send_gift(request)
    later = LedgerService(
        LedgerSettings(gifts=DEFAULT_GIFTS[1:]), store, wake=recorder.wake, observer=recorder
    )
    assert await later.send_gift(request) == replace(first, repeated=True)
    assert recorder.observed[-1] == ("gift", "repeated")
    with pytest.raises(IdempotencyMismatch):
        await later.send_gift(replace(request, count=2))
    with pytest.raises(UnknownGift):
        await later.send_gift(replace(request, request_id=uuid4()))
