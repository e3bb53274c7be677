"""Payouts in a bank's settlement files: each by its reference, whoever else is paid as much."""

from datetime import UTC, datetime, timedelta

import pytest

from config.reconcile import ReconcileSettings, SettlementFormat
from ledger.event_store.database import Database
from ledger.payouts.ledger_books import LedgerBooks
from ledger.payouts.provider import Accepted
from ledger.payouts.results import ResultSource
from ledger.reconcile.service import Reconciler
from ledger.reconcile.worklist import DifferenceState
from ledger.store.reconcile import ReconcileStore
from tests.support.payout_house import House, result
from tests.support.settlements import bought, settlement

LATE_S = 4 * 86_400
"""Beyond the tolerance: what was not in a file by then is missing."""


@pytest.fixture
def house(pool, clock, ledger):
    database = Database(pool, acquire_timeout_s=5, statement_timeout_s=5)
    return House(database, clock, books=LedgerBooks(ledger), automatic=True)


@pytest.fixture
def pay(house, ledger, gift, fund):
    """Payouts of 5,000 each that the bank says it has paid."""

    async def make():
        request = gift(gift_id="diamond", count=10)
        await fund(request.payer_id, 10_000)
        await ledger.send_gift(request)
        await ledger.earnings.mature(datetime.now(UTC) + timedelta(days=1))
        payout = await house.ask(request.payee_id, 5_000)
        await house.settle()
        await house.settlement.record(result(payout, "settled"), ResultSource.PROVIDER)
        await house.settle()
        return await house.store.get(payout.payout_id)

    return make


async def left_over(reconciler):
    """The work list: whose side, and why."""
    listed = await reconciler.differences(DifferenceState.OPEN, None, 10)
    return sorted((each.subject.split()[0], each.reason) for each in listed)


async def test_a_payout_paid_twice_is_not_taken_for_one_that_never_was(reconciler, pay, clock):
    twice, never = await pay(), await pay()
    rows = [f"L{n},{twice.reference},-5000,COIN,{clock().date()}" for n in (1, 2)]
    run = await reconciler.settlement("default", settlement(*rows))
    assert (run.matched, run.differences) == (1, 1)
    [(side, reason)] = await left_over(reconciler)
    assert side == "theirs"
    assert reason.startswith("repeated")
    clock.advance(LATE_S)
    await reconciler.settlement("default", settlement(f"L3,other,1,COIN,{clock().date()}"))
    (side, reason), *theirs = await left_over(reconciler)
    assert side == "ours"
    assert f"reference {never.reference}" in reason
    assert len(theirs) == 2


async def test_what_came_back_has_the_reference_of_what_was_paid(reconciler, house, pay, clock):
    payout = await pay()
    returned = result(payout, "returned", "Closed.")
    await house.settlement.record(returned, ResultSource.PROVIDER)
    await house.settle()
    today = clock().date()
    run = await reconciler.settlement(
        "default",
        settlement(
            f"L1,{payout.reference},-5000,COIN,{today}", f"L2,{payout.reference},5000,COIN,{today}"
        ),
    )
    assert (run.matched, run.differences) == (2, 0)


async def test_a_payout_goes_by_its_id_where_the_bank_gave_no_reference(
    reconciler, house, pay, clock, monkeypatch
):
    async def accepted(order):
        return Accepted(None)

    monkeypatch.setattr(house.bank, "submit", accepted)
    payout = await pay()
    assert payout.reference is None
    today = clock().date()
    stranger = await reconciler.settlement("default", settlement(f"L1,TX,-5000,COIN,{today}"))
    assert stranger.matched == 0
    known = settlement(f"L2,{payout.payout_id},-5000,COIN,{today}")
    assert (await reconciler.settlement("default", known)).matched == 1


async def test_a_prefix_hides_no_payout(pool, stream, pay, clock):
    settings = ReconcileSettings(providers={"acme": SettlementFormat(reference_prefix="acme-")})
    reconciler = Reconciler(ReconcileStore(pool), settings, published=stream, clock=clock)
    today = clock().date()
    await bought(pool, "other-1", 499, today)
    payout = await pay()
    clock.advance(LATE_S)
    await reconciler.settlement("acme", settlement(f"L1,acme-1,1,COIN,{clock().date()}"))
    [(side, reason), _] = await left_over(reconciler)
    assert side == "ours"
    assert f"reference {payout.reference}" in reason
