"""Refunds and chargebacks over real books: shares, sums, and what becomes of a shortfall."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from ledger.accounts import AccountCode
from ledger.errors import (
    AlreadyReversed,
    IdempotencyMismatch,
    InsufficientFunds,
    InvalidAmount,
    InvalidReason,
    NotReversible,
    UnknownTransaction,
)
from ledger.postings import Leg, Posting
from ledger.reversals import ReversalKind, Shortfall

EARNINGS, AVAILABLE = AccountCode.EARNINGS, AccountCode.EARNINGS_AVAILABLE


@pytest.fixture
def reverse(ledger):
    """Refund, with the shortfall refused; keywords replace fields."""

    async def reverse(transaction_id, amount_minor=None, **fields):
        sound = {
            "caller_id": uuid4(),
            "request_id": uuid4(),
            "transaction_id": transaction_id,
            "amount_minor": amount_minor,
            "kind": ReversalKind.REFUND,
            "reason": "asked for",
            "shortfall": Shortfall.REFUSE,
        }
        return await ledger.reversals.reverse(**sound | fields)

    return reverse


@pytest.fixture
def sent(ledger, gift, fund):
    """A gift of 50 coins that was posted: request and receipt."""

    async def sent():
        request = gift(gift_id="heart")
        await fund(request.payer_id, 50)
        return request, await ledger.send_gift(request)

    return sent


@pytest.fixture
def balances(pool):
    """What is on the accounts of somebody, or of the house."""

    async def balances(owner_id=None):
        rows = await pool.fetch(
            "SELECT code, sum(balance_minor)::bigint AS minor FROM ledger.accounts"
            " WHERE owner_id IS NOT DISTINCT FROM $1 GROUP BY code",
            owner_id,
        )
        return {row["code"]: row["minor"] for row in rows if row["minor"]}

    return balances


@pytest.fixture
def spend(ledger):
    """Take earnings away, as a payout would."""

    async def spend(owner_id, code, amount_minor, to=AccountCode.PAYOUTS):
        legs = (
            Leg(owner_id, code, -amount_minor, "COIN"),
            Leg(None, to, amount_minor, "COIN"),
        )
        await ledger.post(
            caller_id=uuid4(), request_id=uuid4(), postings=[Posting("payout", "Paid out", legs)]
        )

    return spend


async def hold_available(ledger, owner_id, amount_minor):
    """A hold on available earnings, or its refusal."""
    try:
        return await ledger.holds.place(
            caller_id=uuid4(),
            request_id=uuid4(),
            owner_id=owner_id,
            code=AVAILABLE,
            amount_minor=amount_minor,
            expires_at=datetime.now(UTC) + timedelta(days=1),
            reason="Payout",
        )
    except InsufficientFunds as refusal:
        return refusal


async def test_a_whole_refund_undoes_a_gift(reverse, sent, balances, pool):
    request, receipt = await sent()
    posted = await reverse(receipt.transaction_id)
    assert await balances(request.payer_id) == {"wallet": 50}
    assert await balances(request.payee_id) == {}
    assert await balances() == {"issuance": -50}
    row = await pool.fetchrow(
        "SELECT kind, memo, reverses FROM ledger.transactions WHERE transaction_id = $1",
        posted.transaction_id,
    )
    assert tuple(row) == ("refund", "asked for", receipt.transaction_id)
    newest = "SELECT events::jsonb FROM ledger.event_log ORDER BY sequence DESC LIMIT 1"
    [event] = await pool.fetchval(newest)
    assert event["data"]["reverses"] == str(receipt.transaction_id)


async def test_parts_add_up_to_the_whole_to_the_unit(reverse, sent, balances):
    request, receipt = await sent()  # 35 to the streamer, 15 to the house
    for part, streamer in ((1, 34), (1, 33), (1, 32), (7, 28)):
        await reverse(receipt.transaction_id, part)
        assert (await balances(request.payee_id)).get("earnings", 0) == streamer
    with pytest.raises(AlreadyReversed) as caught:
        await reverse(receipt.transaction_id, 41)
    assert caught.value.left_minor == 40
    await reverse(receipt.transaction_id)
    assert await balances(request.payee_id) == {}
    assert await balances() == {"issuance": -50}
    for amount in (None, 1):
        with pytest.raises(AlreadyReversed):
            await reverse(receipt.transaction_id, amount)


async def test_refunds_at_once_never_exceed_the_whole(reverse, sent, balances):
    request, receipt = await sent()
    answers = await asyncio.gather(
        *(reverse(receipt.transaction_id, 20) for _ in range(5)), return_exceptions=True
    )
    assert sum(isinstance(answer, AlreadyReversed) for answer in answers) == 3
    assert await balances(request.payer_id) == {"wallet": 40}


async def test_a_repeat_is_answered_alike(reverse, sent, balances):
    request, receipt = await sent()
    key = {"caller_id": uuid4(), "request_id": uuid4()}
    first = await reverse(receipt.transaction_id, 20, **key)
    assert await reverse(receipt.transaction_id, 20, **key) == replace(first, repeated=True)
    with pytest.raises(IdempotencyMismatch):
        await reverse(receipt.transaction_id, 21, **key)
    assert await balances(request.payer_id) == {"wallet": 20}


async def test_available_earnings_are_taken_when_the_others_are_short(
    reverse, sent, balances, ledger, spend
):
    request, receipt = await sent()
    await ledger.earnings.mature(datetime.now(UTC) + timedelta(days=1))
    await spend(request.payee_id, AVAILABLE, 5)
    await reverse(receipt.transaction_id, 40)  # 28 of the streamer's 35
    assert await balances(request.payee_id) == {"earnings_available": 2}


@pytest.mark.parametrize(
    ("shortfall", "streamer", "house"),
    [
        (Shortfall.RESERVE, {"chargeback_reserve": -30}, {}),
        (Shortfall.HOUSE, {}, {"refunds": -30}),
    ],
)
async def test_a_shortfall_goes_by_its_rule(
    reverse, sent, balances, spend, shortfall, streamer, house
):
    request, receipt = await sent()
    await spend(request.payee_id, EARNINGS, 30)
    with pytest.raises(InsufficientFunds) as caught:
        await reverse(receipt.transaction_id)
    assert (caught.value.balance_minor, caught.value.total_minor) == (5, 35)
    await reverse(receipt.transaction_id, shortfall=shortfall, kind=ReversalKind.CHARGEBACK)
    assert await balances(request.payer_id) == {"wallet": 50}
    assert await balances(request.payee_id) == streamer
    assert await balances() == {"issuance": -50, "payouts": 30} | house


async def test_what_is_owed_is_paid_from_the_next_earnings(
    reverse, sent, balances, spend, ledger, gift, fund
):
    request, receipt = await sent()
    await spend(request.payee_id, EARNINGS, 30)
    await reverse(receipt.transaction_id, shortfall=Shortfall.RESERVE)
    for left, expected in (
        ({"chargeback_reserve": -16}, {}),
        ({"chargeback_reserve": -2}, {}),
        ({}, {"earnings_available": 12}),
    ):
        again = gift(payee_id=request.payee_id, count=2)
        await fund(again.payer_id, 20)
        await ledger.send_gift(again)
        await ledger.earnings.mature(datetime.now(UTC) + timedelta(days=1))
        assert await balances(request.payee_id) == left | expected


async def test_what_is_owed_is_paid_from_available_earnings_that_came_back(
    reverse, sent, balances, spend, ledger
):
    request, receipt = await sent()
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    await ledger.earnings.mature(tomorrow)
    await spend(request.payee_id, AVAILABLE, 30)
    await reverse(receipt.transaction_id, shortfall=Shortfall.RESERVE)
    assert await balances(request.payee_id) == {"chargeback_reserve": -30}
    await spend(request.payee_id, AVAILABLE, -20)
    hold = await hold_available(ledger, request.payee_id, 1)
    assert isinstance(hold, InsufficientFunds)
    assert await ledger.earnings.mature(tomorrow) == 1
    assert await balances(request.payee_id) == {"chargeback_reserve": -10}
    await spend(request.payee_id, AVAILABLE, -30, AccountCode.ISSUANCE)
    assert (await ledger.wallet(request.payee_id)).earnings_available_minor == 20
    # What is held is not taken, and of the rest as much as is owed can't be held.
    assert isinstance(await hold_available(ledger, request.payee_id, 21), InsufficientFunds)
    assert (await hold_available(ledger, request.payee_id, 20)).left_minor == 20
    assert await ledger.earnings.mature(tomorrow) == 1
    assert await ledger.earnings.mature(tomorrow) == 0
    assert await balances(request.payee_id) == {"earnings_available": 20}


async def test_who_owes_and_closed_their_earnings_holds_up_nobody(
    reverse, sent, balances, spend, ledger, gift, fund
):
    request, receipt = await sent()
    await spend(request.payee_id, EARNINGS, 35)
    await reverse(receipt.transaction_id, shortfall=Shortfall.RESERVE)
    await spend(request.payee_id, AVAILABLE, -35)
    await ledger.earnings.close_account(request.payee_id, EARNINGS)
    other, _ = await sent()
    assert await ledger.earnings.mature(datetime.now(UTC) + timedelta(days=1)) == 1
    assert await balances(other.payee_id) == {"earnings_available": 35}
    assert isinstance(await hold_available(ledger, request.payee_id, 1), InsufficientFunds)


async def test_a_purchase_is_charged_back_from_the_wallet(reverse, balances, ledger):
    ada = uuid4()
    bought = await ledger.credit_purchase(
        caller_id=uuid4(), request_id=uuid4(), user_id=ada, amount_minor=100, reference="pay-1"
    )
    await ledger.post(
        caller_id=uuid4(),
        request_id=uuid4(),
        postings=[
            Posting(
                "correction",
                "Spent",
                (
                    Leg(ada, AccountCode.WALLET, -70, "COIN"),
                    Leg(None, AccountCode.FEES, 70, "COIN"),
                ),
            )
        ],
    )
    await reverse(bought.transaction_id, shortfall=Shortfall.RESERVE)
    assert await balances(ada) == {"chargeback_reserve": -70}
    assert await balances() == {"fees": 70}


async def test_what_is_refused(reverse, sent, fund, pool, ledger):
    _, receipt = await sent()
    with pytest.raises(UnknownTransaction):
        await reverse(uuid4())
    refund = await reverse(receipt.transaction_id, 10)
    with pytest.raises(NotReversible):
        await reverse(refund.transaction_id)
    for amount in (0, -1, 2**63, True, 1.5):
        with pytest.raises(InvalidAmount):
            await reverse(receipt.transaction_id, amount)
    with pytest.raises(InvalidReason):
        await reverse(receipt.transaction_id, reason="")
    assert (await ledger.trial_balance()).balanced


async def test_of_two_currencies_only_the_whole_is_taken_back(reverse, ledger, pool, balances):
    await pool.execute("INSERT INTO ledger.currencies (currency, scale) VALUES ('GEM', 0)")
    ada = uuid4()
    legs = [
        leg
        for currency in ("COIN", "GEM")
        for leg in (
            Leg(ada, AccountCode.WALLET, 100, currency),
            Leg(None, AccountCode.PAYMENT_CLEARING, -100, currency),
        )
    ]
    bought = await ledger.post(
        caller_id=uuid4(), request_id=uuid4(), postings=[Posting("purchase", "Both", tuple(legs))]
    )
    for amount in (1, 50, 199):
        with pytest.raises(NotReversible):
            await reverse(bought.transaction_id, amount)
    await reverse(bought.transaction_id)
    assert await balances(ada) == {}
