"""The service over a real PostgreSQL: answers, repeats, refusals and races."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from config.ledger import LedgerSettings
from ledger.errors import (
    IdempotencyMismatch,
    InsufficientFunds,
    InvalidAmount,
    InvalidCount,
    InvalidPage,
    InvalidReason,
    LedgerBusy,
    OwnStream,
    UnknownGift,
)
from ledger.gifts import GiftReceipt
from ledger.service import LedgerService
from ledger.statements import Wallet
from ledger.store import LedgerStore

ADMIN = uuid4()


def a_grant(**fields):
    sound = {
        "request_id": uuid4(),
        "user_id": uuid4(),
        "amount_minor": 500,
        "reason": "welcome",
        "granted_by": ADMIN,
    }
    return sound | fields


async def counts(pool):
    """How much the books hold."""
    return await pool.fetchrow(
        "SELECT (SELECT count(*) FROM ledger.transactions) AS transactions,"
        " (SELECT count(*) FROM ledger.journal_entries) AS entries,"
        " (SELECT count(*) FROM ledger.event_log) AS events"
    )


async def settled(calls):
    """The answers and refusals of calls made at once."""
    return await asyncio.gather(*calls, return_exceptions=True)


async def test_a_gift_moves_coins_and_keeps_the_fee(ledger, gift, fund):
    request = gift(count=2)
    await fund(request.payer_id, 500)
    receipt = await ledger.send_gift(request)
    assert receipt == GiftReceipt(
        request_id=request.request_id,
        transaction_id=receipt.transaction_id,
        gift_id="rose",
        count=2,
        total_minor=20,
        currency="COIN",
        balance_minor=480,
        posted_at=receipt.posted_at,
        repeated=False,
    )
    assert receipt.transaction_id.version == 7
    assert receipt.posted_at.utcoffset().total_seconds() == 0
    assert await ledger.wallet(request.payer_id) == Wallet(480, 0, "COIN")
    assert await ledger.wallet(request.payee_id) == Wallet(0, 14, "COIN")
    balance = await ledger.trial_balance()
    assert balance.balanced
    moved = {line.code: line.debit_minor - line.credit_minor for line in balance.accounts}
    assert {code: minor for code, minor in moved.items() if minor} == {
        "issuance": 500,
        "wallet": -480,
        "earnings": -14,
        "fees": -6,
    }


async def test_a_gift_of_the_whole_balance_leaves_zero(ledger, gift, fund):
    request = gift(gift_id="heart", count=2)
    await fund(request.payer_id, 100)
    assert (await ledger.send_gift(request)).balance_minor == 0


async def test_a_fee_of_nothing_or_everything_posts_two_entries(store, pool, gift, fund, recorder):
    for basis_points, earned in ((0, 10), (10_000, 0)):
        settings = LedgerSettings(fee_basis_points=basis_points)
        ledger = LedgerService(settings, store, wake=recorder.wake, observer=recorder)
        request = gift()
        await fund(request.payer_id, 10)
        before = await counts(pool)
        await ledger.send_gift(request)
        assert (await ledger.wallet(request.payee_id)).earnings_minor == earned
        assert (await counts(pool))["entries"] == before["entries"] + 2
        newest = "SELECT events::jsonb FROM ledger.event_log ORDER BY sequence DESC LIMIT 1"
        [event] = await pool.fetchval(newest)
        assert event["data"]["payee_balance_minor"] == earned


async def test_the_same_gift_again_has_the_same_answer_and_posts_nothing(ledger, gift, fund, pool):
    request = gift(count=5)
    await fund(request.payer_id, 50)
    first = await ledger.send_gift(request)
    before = await counts(pool)
    assert await ledger.send_gift(request) == replace(first, repeated=True)
    renamed = replace(request, payer_name="Vera II")
    assert await ledger.send_gift(renamed) == replace(first, repeated=True)
    assert await counts(pool) == before


async def test_the_same_id_with_another_body_is_refused(ledger, gift, fund, pool):
    request = gift()
    await fund(request.payer_id, 500)
    await ledger.send_gift(request)
    before = await counts(pool)
    for change in ({"count": 2}, {"gift_id": "heart"}, {"stream_id": uuid4()}):
        with pytest.raises(IdempotencyMismatch):
            await ledger.send_gift(replace(request, **change))
    assert await counts(pool) == before


async def test_another_users_request_id_is_not_taken(ledger, gift, fund):
    request = gift()
    other = replace(request, payer_id=uuid4())
    await fund(request.payer_id, 500)
    await fund(other.payer_id, 300)
    assert (await ledger.send_gift(request)).balance_minor == 490
    receipt = await ledger.send_gift(other)
    assert (receipt.balance_minor, receipt.repeated) == (290, False)


async def test_a_refused_gift_changes_nothing(ledger, gift, fund, pool, recorder):
    request = gift()
    await fund(request.payer_id, 500)
    before, wakes = await counts(pool), recorder.wakes
    for fault, refusal in (
        ({"gift_id": "sword"}, UnknownGift),
        ({"gift_id": "sword", "count": 0}, UnknownGift),
        ({"count": 0}, InvalidCount),
        ({"count": -1}, InvalidCount),
        ({"count": 1001}, InvalidCount),
        ({"count": 2**64}, InvalidCount),
        ({"count": True}, InvalidCount),
        ({"count": 1.0}, InvalidCount),
        ({"payee_id": request.payer_id}, OwnStream),
        ({"gift_id": "castle"}, InsufficientFunds),
    ):
        with pytest.raises(refusal) as caught:
            await ledger.send_gift(replace(request, **fault))
        assert recorder.observed[-1] == ("gift", caught.value.code)
    assert await counts(pool) == before
    assert recorder.wakes == wakes


async def test_the_publisher_is_woken_once_for_a_batch(ledger, gift, fund, recorder):
    request = gift()
    await fund(request.payer_id, 500)
    await ledger.send_gift(request)
    wakes = recorder.wakes
    others = [replace(request, request_id=uuid4()) for _ in range(5)]
    await asyncio.gather(*(ledger.send_gift(each) for each in others))
    assert recorder.wakes == wakes + 1
    await ledger.send_gift(request)  # a repeat: nobody may know of the first
    assert recorder.wakes == wakes + 2


async def test_who_has_no_wallet_has_no_funds(ledger, gift, pool):
    with pytest.raises(InsufficientFunds) as caught:
        await ledger.send_gift(gift())
    assert (caught.value.balance_minor, caught.value.total_minor) == (0, 10)
    owned = "SELECT count(*) FROM ledger.accounts WHERE owner_id IS NOT NULL"
    assert await pool.fetchval(owned) == 0


async def test_a_mismatch_goes_before_missing_funds_and_a_repeat_before_both(ledger, gift, fund):
    request = gift(count=50)
    await fund(request.payer_id, 500)
    first = await ledger.send_gift(request)
    with pytest.raises(IdempotencyMismatch):
        await ledger.send_gift(replace(request, count=51))
    assert await ledger.send_gift(request) == replace(first, repeated=True)
    with pytest.raises(InsufficientFunds):
        await ledger.send_gift(replace(request, request_id=uuid4()))


async def test_a_grant_issues_coins(ledger, pool, recorder):
    request = a_grant()
    receipt = await ledger.grant(**request)
    assert (receipt.balance_minor, receipt.currency, receipt.repeated) == (500, "COIN", False)
    assert await ledger.grant(**request) == replace(receipt, repeated=True)
    assert (await ledger.wallet(request["user_id"])).balance_minor == 500
    row = await pool.fetchrow(
        "SELECT r.caller_id, t.memo, t.description"
        " FROM ledger.transactions t JOIN ledger.requests r USING (transaction_id)"
    )
    assert tuple(row) == (ADMIN, "welcome", "Coins granted")
    assert recorder.observed[:2] == [("grant", "posted"), ("grant", "repeated")]
    assert recorder.wakes == 2


async def test_a_refused_grant_changes_nothing(ledger, pool):
    for fault, refusal in (
        ({"amount_minor": 0}, InvalidAmount),
        ({"amount_minor": -5}, InvalidAmount),
        ({"amount_minor": 10**9 + 1}, InvalidAmount),
        ({"amount_minor": True}, InvalidAmount),
        ({"amount_minor": 0, "reason": ""}, InvalidAmount),
        ({"reason": " "}, InvalidReason),
        ({"reason": "\ud800"}, InvalidReason),
    ):
        with pytest.raises(refusal):
            await ledger.grant(**a_grant(**fault))
    assert tuple(await counts(pool)) == (0, 0, 0)


async def test_a_grant_with_a_used_id_is_refused(ledger, pool):
    request = a_grant()
    await ledger.grant(**request)
    for change in ({"user_id": uuid4()}, {"amount_minor": 501}, {"reason": "else"}):
        with pytest.raises(IdempotencyMismatch):
            await ledger.grant(**request | change)
    assert (await counts(pool))["transactions"] == 1
    other_admin = await ledger.grant(**request | {"granted_by": uuid4()})
    assert not other_admin.repeated


async def test_an_admin_who_also_gives_keeps_requests_apart(ledger, gift, fund):
    request = gift()
    await fund(request.payer_id, 100)
    await ledger.send_gift(request)
    used = a_grant(request_id=request.request_id, granted_by=request.payer_id)
    with pytest.raises(IdempotencyMismatch):
        await ledger.grant(**used)


async def test_a_hundred_gifts_at_once_never_overdraw_a_wallet(ledger, gift, fund):
    payer, payee = uuid4(), uuid4()
    await fund(payer, 379)
    answers = await settled(
        ledger.send_gift(gift(payer_id=payer, payee_id=payee)) for _ in range(100)
    )
    receipts = [a for a in answers if isinstance(a, GiftReceipt)]
    assert sorted(r.balance_minor for r in receipts) == list(range(9, 379, 10))
    assert sum(isinstance(a, InsufficientFunds) for a in answers) == 100 - len(receipts)
    assert await ledger.wallet(payer) == Wallet(9, 0, "COIN")
    assert (await ledger.wallet(payee)).earnings_minor == 37 * 7


async def test_equal_requests_at_once_post_one_gift(ledger, gift, fund, pool):
    request = gift(count=3)
    await fund(request.payer_id, 30)
    answers = await settled(ledger.send_gift(request) for _ in range(20))
    assert sum(not answer.repeated for answer in answers) == 1
    assert all(
        replace(answer, repeated=False) == replace(answers[0], repeated=False) for answer in answers
    )
    assert (await counts(pool))["transactions"] == 2


async def test_equal_grants_at_once_post_one(ledger, pool):
    request = a_grant()
    answers = await settled(ledger.grant(**request) for _ in range(20))
    assert sum(not answer.repeated for answer in answers) == 1
    assert (await counts(pool))["transactions"] == 1


async def test_one_id_for_many_bodies_at_once_posts_one(ledger, pool):
    request = a_grant()
    answers = await settled(ledger.grant(**request | {"user_id": uuid4()}) for _ in range(20))
    assert sum(isinstance(answer, IdempotencyMismatch) for answer in answers) == 19
    assert (await counts(pool))["transactions"] == 1


async def test_a_gift_and_a_grant_racing_for_one_id_post_one(ledger, gift, fund, pool):
    requests = [gift() for _ in range(10)]
    for request in requests:
        await fund(request.payer_id, 10)
    before = (await counts(pool))["transactions"]
    answers = await settled(
        call
        for request in requests
        for call in (
            ledger.send_gift(request),
            ledger.grant(**a_grant(request_id=request.request_id, granted_by=request.payer_id)),
        )
    )
    assert sum(isinstance(answer, IdempotencyMismatch) for answer in answers) == 10
    assert (await counts(pool))["transactions"] == before + 10


async def test_payers_crossing_each_other_do_not_deadlock(ledger, gift, fund, recorder):
    people = [uuid4() for _ in range(4)]
    for person in people:
        await fund(person, 1000)
    pairs = [(a, b) for a in people for b in people if a != b] * 5
    answers = await settled(ledger.send_gift(gift(payer_id=a, payee_id=b)) for a, b in pairs)
    assert all(isinstance(answer, GiftReceipt) for answer in answers)
    wallets = [await ledger.wallet(person) for person in people]
    assert wallets == [Wallet(1000 - 150, 15 * 7, "COIN")] * 4
    assert (await ledger.trial_balance()).balanced


async def test_statements_are_newest_first_in_pages(ledger, gift, fund):
    request = gift()
    await fund(request.payer_id, 100)
    for count in (1, 2, 3):
        await ledger.send_gift(replace(request, request_id=uuid4(), count=count))
    newest = await ledger.statement(request.payer_id, account="wallet", cursor=None, limit=3)
    assert [(li.amount_minor, li.balance_minor, li.description) for li in newest.lines] == [
        (-30, 40, "3 × Rose"),
        (-20, 70, "2 × Rose"),
        (-10, 90, "1 × Rose"),
    ]
    assert (newest.balance_minor, newest.currency) == (40, "COIN")
    oldest = await ledger.statement(
        request.payer_id, account="wallet", cursor=newest.next_cursor, limit=3
    )
    assert [(li.kind, li.amount_minor, li.description) for li in oldest.lines] == [
        ("grant", 100, "Coins granted")
    ]
    assert (oldest.balance_minor, oldest.next_cursor) == (40, None)
    earned = await ledger.statement(request.payee_id, account="earnings", cursor=None, limit=3)
    assert [line.balance_minor for line in earned.lines] == [42, 21, 7]
    assert earned.next_cursor is None


async def test_a_statement_before_the_first_entry_is_empty(ledger):
    statement = await ledger.statement(uuid4(), account="wallet", cursor=None, limit=10)
    assert (statement.account_id, statement.balance_minor, statement.lines) == (None, 0, ())


async def test_a_page_past_the_oldest_is_empty(ledger, fund):
    user = uuid4()
    await fund(user, 5)
    statement = await ledger.statement(user, account="wallet", cursor="0-0", limit=10)
    assert (statement.lines, statement.next_cursor, statement.balance_minor) == ((), None, 5)


async def test_a_page_that_cannot_be_is_refused(ledger):
    with pytest.raises(InvalidPage):
        await ledger.statement(uuid4(), account="wallet", cursor="x", limit=10)


async def test_the_catalogue_is_the_settings(ledger, settings):
    assert [gift.gift_id for gift in ledger.catalogue] == [g.gift_id for g in settings.gifts]
    assert (ledger.max_count, ledger.currency) == (1000, "COIN")


async def test_calls_beyond_the_bound_are_refused_at_once(pool, gift, fund, recorder):
    settings = LedgerSettings(max_in_flight=3)
    ledger = LedgerService(
        settings, LedgerStore(pool, settings), wake=recorder.wake, observer=recorder
    )
    request = gift()
    await fund(request.payer_id, 100)
    answers = await settled(
        ledger.send_gift(replace(request, request_id=uuid4())) for _ in range(10)
    )
    assert sum(isinstance(answer, LedgerBusy) for answer in answers) == 7
    assert ledger.in_flight == 0
    assert recorder.observed.count(("gift", "unavailable")) == 7


async def test_more_writers_share_the_gifts(pool, gift, fund, recorder):
    settings = LedgerSettings(gift_writers=3)
    ledger = LedgerService(
        settings, LedgerStore(pool, settings), wake=recorder.wake, observer=recorder
    )
    people, payee = [uuid4() for _ in range(12)], uuid4()
    for person in people:
        await fund(person, 30)
    answers = await settled(
        ledger.send_gift(gift(payer_id=person, payee_id=payee))
        for person in people
        for _ in range(4)
    )
    assert sum(isinstance(answer, InsufficientFunds) for answer in answers) == 12
    assert (await ledger.wallet(payee)).earnings_minor == 36 * 7
    shards = "SELECT count(*) FROM ledger.accounts WHERE owner_id = $1 AND shard > 0"
    assert 1 < await pool.fetchval(shards, payee) <= 3
    assert (await ledger.wallet(people[0])).balance_minor == 0
    assert (await ledger.trial_balance()).balanced
    await ledger.close()
    with pytest.raises(LedgerBusy):
        await ledger.send_gift(gift(payer_id=people[0]))


async def test_a_fault_is_counted_as_an_error(ledger, recorder):
    with pytest.raises(ValueError, match="savings"):
        await ledger.statement(uuid4(), account="savings", cursor=None, limit=10)
    assert recorder.observed == [("statement", "error")]
