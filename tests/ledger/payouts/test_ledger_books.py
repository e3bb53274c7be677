"""Payouts over the real ledger: what each step posts, and dying between any two of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from ledger.accounts import AccountCode
from ledger.errors import HoldClosed
from ledger.payouts.errors import AvailableTooSmall, Unfunded
from ledger.payouts.ledger_books import LedgerBooks
from ledger.payouts.provider import Refused
from ledger.payouts.results import ResultSource
from ledger.reversals import ReversalKind, Shortfall
from tests.support.crashes import Killed, MortalDatabase, die_everywhere
from tests.support.kettles import Clock
from tests.support.payout_house import SAGAS, House, result

PROVIDER = ResultSource.PROVIDER
EARNED = 7_000
LONG_AFTER = datetime.now(UTC) + timedelta(days=40)
"""No answer of today is kept until then."""


@pytest.fixture
def real_clock():
    """Holds end by the database's clock, so this one begins at the time of now."""
    return Clock(datetime.now(UTC))


@pytest.fixture
def desk(database, real_clock, ledger):
    return House(database, real_clock, books=LedgerBooks(ledger), automatic=True)


@pytest.fixture
def earner(ledger, gift, fund):
    """A streamer with earnings that have matured."""

    async def make():
        request = gift(gift_id="diamond", count=10)
        await fund(request.payer_id, 10_000)
        await ledger.send_gift(request)
        await ledger.earnings.mature(datetime.now(UTC) + timedelta(days=1))
        return request.payee_id

    return make


async def balances(ledger):
    """Credits less debits by account code, those of payouts alone."""
    lines = (await ledger.trial_balance()).accounts
    codes = ("earnings_available", "payouts", "payment_clearing")
    return {line.code: line.credit_minor - line.debit_minor for line in lines if line.code in codes}


async def on_the_accounts(database, user):
    """What is on the accounts of a user that is not zero."""
    rows = await database.fetch(
        "SELECT code, sum(balance_minor)::bigint AS minor FROM ledger.accounts"
        " WHERE owner_id = $1 GROUP BY code HAVING sum(balance_minor) <> 0",
        user,
    )
    return {row["code"]: row["minor"] for row in rows}


async def test_each_step_of_a_payout_that_is_paid(desk, ledger, earner):
    user = await earner()
    payout = await desk.ask(user, 5_000)
    await desk.settle()
    assert await desk.state(payout) == "sent"
    assert await balances(ledger) == {
        "earnings_available": 2_000,
        "payouts": 5_000,
        "payment_clearing": 0,
    }
    await desk.settlement.record(result(payout, "settled"), PROVIDER)
    await desk.settle()
    assert await balances(ledger) == {
        "earnings_available": 2_000,
        "payouts": 0,
        "payment_clearing": 5_000,
    }
    await desk.settlement.record(result(payout, "returned", "Closed."), PROVIDER)
    await desk.settle()
    assert await balances(ledger) == {
        "earnings_available": EARNED,
        "payouts": 0,
        "payment_clearing": 0,
    }
    assert (await ledger.trial_balance()).balanced
    assert (await ledger.wallet(user)).earnings_available_minor == EARNED


async def test_a_hold_keeps_the_amount_from_a_chargeback_of_another_gift(
    desk, ledger, earner, database
):
    user = await earner()
    desk.automatic = False
    house = desk.restarted()
    payout = await house.ask(user, EARNED)
    await house.settle()
    assert await house.state(payout) == "held"
    held = await database.first(
        "SELECT sum(held_minor) AS held FROM ledger.accounts WHERE owner_id = $1", user
    )
    assert held["held"] == EARNED
    assert (await ledger.wallet(user)).earnings_available_minor == 0
    await house.service.cancel(user, payout.payout_id)
    await house.settle()
    again = await house.ask(user, EARNED)
    await house.settle()
    assert await house.state(again) == "held"


async def test_what_the_provider_refuses_is_given_back(desk, ledger, earner):
    user = await earner()
    desk.bank.refusal = Refused("No.")
    payout = await desk.ask(user, 5_000)
    await desk.settle()
    assert await desk.state(payout) == "failed"
    assert (await balances(ledger))["earnings_available"] == EARNED


async def test_earnings_that_are_gone_fail_it(desk, ledger, earner):
    user = await earner()
    payout = await desk.ask(user, 5_000)
    await ledger.holds.place(
        caller_id=uuid4(),
        request_id=uuid4(),
        owner_id=user,
        code=AccountCode.EARNINGS_AVAILABLE,
        amount_minor=EARNED,
        expires_at=datetime.now(UTC) + timedelta(days=1),
        reason="AML",
    )
    await desk.settle()
    assert await desk.history(payout) == ["requested", "approved", "failed"]


async def test_a_hold_that_has_ended_fails_it(desk, ledger, earner, real_clock):
    user = await earner()
    real_clock.now -= timedelta(days=365)  # approved a year ago
    desk.automatic = False
    house = desk.restarted()
    payout = await house.ask(user, 5_000)
    await house.settle()
    await house.batches.make(uuid4(), uuid4())
    await house.settle()
    assert await house.state(payout) == "failed"
    assert "hold has ended" in (await house.store.get(payout.payout_id)).reason
    assert (await balances(ledger))["earnings_available"] == EARNED


async def test_every_posting_is_made_once(desk, ledger, earner):
    user = await earner()
    payout = await desk.ask(user, 5_000)
    await desk.settle()
    payout = await desk.store.get(payout.payout_id)
    books = desk.books
    assert await books.capture(payout) == payout.transaction_id
    first = await books.give_back(payout)
    assert await books.give_back(payout) == first
    with pytest.raises(HoldClosed):
        await books.void(payout)
    assert await books.available_minor(user) == EARNED


async def test_what_was_posted_is_known_after_its_answer_was_archived(desk, ledger, earner):
    async def dying(payout):
        await capture(payout)
        raise ConnectionError  # in front of what is written down

    payout = await desk.ask(await earner(), 5_000)
    books = desk.books
    capture, books.capture = books.capture, dying
    await desk.settle()
    assert await desk.state(payout) == "sending"
    books.capture = capture
    assert await ledger.archive_requests(LONG_AFTER) > 0
    desk.clock.advance(SAGAS.longest_backoff_s)
    await desk.settle()
    assert await desk.history(payout) == [
        "requested",
        "approved",
        "held",
        "sending",
        "captured",
        "sent",
    ]
    assert (await balances(ledger))["payouts"] == 5_000
    payout = await desk.store.get(payout.payout_id)
    cleared = await books.clear(payout)
    assert await ledger.archive_requests(LONG_AFTER + timedelta(days=1)) > 0
    assert await books.clear(payout) == cleared
    assert (await balances(ledger))["payment_clearing"] == 5_000


@pytest.mark.parametrize("ended", [False, True])
async def test_a_hold_is_found_after_its_answer_was_archived(desk, ledger, earner, pool, ended):
    async def dying(payout, expires_at):
        await hold(payout, expires_at)
        raise ConnectionError  # in front of what is written down

    user = await earner()
    payout = await desk.ask(user, 2_000)
    books = desk.books
    hold, books.hold = books.hold, dying
    await desk.settle()
    assert await desk.state(payout) == "approved"
    books.hold = hold
    for amount, metadata in ((1_000, None), (2_000, {"placed_by": "an admin"})):
        await ledger.holds.place(  # others of the same user
            caller_id=uuid4(),
            request_id=uuid4(),
            owner_id=user,
            code=AccountCode.EARNINGS_AVAILABLE,
            amount_minor=amount,
            expires_at=LONG_AFTER,
            reason="Payout",
            metadata=metadata,
        )
    if ended:
        await pool.execute("UPDATE ledger.holds SET state = 'voided', closed_at = now()")
    await ledger.archive_requests(LONG_AFTER)
    desk.clock.advance(SAGAS.longest_backoff_s)
    await desk.settle()
    assert await desk.state(payout) == ("failed" if ended else "sent")
    assert (await balances(ledger))["payouts"] == (0 if ended else 2_000)


async def test_a_hold_is_voided_once_however_late_it_is_asked_again(desk, ledger, earner):
    user = await earner()
    desk.automatic = False
    house = desk.restarted()
    payout = await house.ask(user, 5_000)
    await house.settle()
    payout = await house.store.get(payout.payout_id)
    for days in range(2):
        await house.books.void(payout)
        await ledger.archive_requests(LONG_AFTER + timedelta(days=days))
    assert await house.books.available_minor(user) == EARNED
    with pytest.raises(Unfunded, match="hold has ended"):
        await house.books.capture(payout)


async def test_a_closed_account_is_not_paid_out(desk, ledger, earner):
    user = await earner()
    payout = await desk.ask(user, EARNED)
    await desk.settle()
    await ledger.earnings.close_account(user, AccountCode.EARNINGS_AVAILABLE)
    payout = await desk.store.get(payout.payout_id)
    other = type(payout)(
        **{name: getattr(payout, name) for name in payout.__slots__} | {"payout_id": uuid4()}
    )
    with pytest.raises(Unfunded, match="can't be paid out"):
        await desk.books.hold(other, datetime.now(UTC) + timedelta(days=1))
    with pytest.raises(ValueError, match="has no hold"):
        await desk.books.capture(
            type(payout)(
                **{name: getattr(payout, name) for name in payout.__slots__} | {"hold_id": None}
            )
        )


@pytest.mark.parametrize("outcome", ["failed", "returned", "cancelled"])
async def test_what_is_owed_after_a_chargeback_is_not_paid_out(
    desk, ledger, gift, earner, outcome, database
):
    user = await earner()
    earned = await ledger.statement(user, account="earnings", cursor=None, limit=10)
    desk.automatic = outcome != "cancelled"
    house = desk.restarted()
    payout = await house.ask(user, EARNED)
    await house.settle()
    if outcome == "returned":
        await house.settlement.record(result(payout, "settled"), PROVIDER)
        await house.settle()
    await ledger.reversals.reverse(
        caller_id=uuid4(),
        request_id=uuid4(),
        transaction_id=earned.lines[-1].transaction_id,
        amount_minor=None,
        kind=ReversalKind.CHARGEBACK,
        reason="The bank says so.",
        shortfall=Shortfall.RESERVE,
    )
    if outcome == "cancelled":
        await house.service.cancel(user, payout.payout_id)
    else:
        await house.settlement.record(result(payout, outcome, "Closed."), PROVIDER)
    await house.settle()
    assert await on_the_accounts(database, user) == {
        "earnings_available": EARNED,
        "chargeback_reserve": -EARNED,
    }
    assert await house.books.available_minor(user) == 0
    with pytest.raises(AvailableTooSmall):
        await house.ask(user, 1_000)
    with pytest.raises(Unfunded):
        await house.books.hold(
            replace(payout, payout_id=uuid4()), datetime.now(UTC) + timedelta(days=1)
        )
    assert await ledger.earnings.mature(datetime.now(UTC) - timedelta(days=1)) == 1
    assert await on_the_accounts(database, user) == {}
    assert await ledger.earnings.mature(datetime.now(UTC) - timedelta(days=1)) == 0
    assert (await ledger.trial_balance()).balanced


@pytest.mark.slow
async def test_dying_at_any_point_pays_once(desk, database, ledger, earner):
    payout = user = None
    paid = 0

    async def live(dies_at):
        nonlocal payout, user
        user = await earner()
        payout = await desk.ask(user, 5_000)
        mortal = MortalDatabase(database, dies_at)
        try:
            await go_on(desk.restarted(mortal))
        except Killed:
            desk.clock.advance(SAGAS.lease_s)
            await go_on(desk.restarted())
        return mortal.points

    async def go_on(house):
        await house.settle()
        await house.settlement.record(result(payout, "settled"), PROVIDER)
        await house.settle()

    async def judge():
        nonlocal paid
        paid += 5_000
        assert await desk.state(payout) == "settled"
        assert (await ledger.wallet(user)).earnings_available_minor == EARNED - 5_000
        books = await balances(ledger)
        assert (books["payouts"], books["payment_clearing"]) == (0, paid)
        assert (await ledger.trial_balance()).balanced

    assert await die_everywhere(live, judge) > 60
