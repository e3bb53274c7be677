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
