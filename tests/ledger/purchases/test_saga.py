"""A purchase's step over a real PostgreSQL, and dying at every point of it."""

import pytest

from ledger.errors import LedgerBusy
from ledger.purchases.states import PurchaseState
from tests.support.crashes import Killed, MortalDatabase, die_everywhere
from tests.support.purchase_house import SAGAS, Shop, a_payment


async def test_a_payment_becomes_coins(shop):
    purchase, _ = await shop.service.record(a_payment(amount_minor=700))
    await shop.settle()
    credited = await shop.service.get(purchase.purchase_id)
    assert (credited.state, credited.transaction_id) == ("credited", purchase.request_key())
    assert list(shop.wallets.credited.values()) == [700]
    assert await shop.history(purchase) == ["paid", "credited"]


async def test_a_ledger_that_is_busy_is_asked_again(shop, clock):
    shop.wallets.failures = [LedgerBusy(), TimeoutError()]
    purchase, _ = await shop.service.record(a_payment())
    for _ in range(3):
        await shop.settle()
        clock.advance(5)
    assert (await shop.service.get(purchase.purchase_id)).state is PurchaseState.CREDITED


@pytest.mark.parametrize("refuses", [None, "The wallet is closed."])
async def test_dying_at_any_point_credits_once_or_asks_for_the_refund(database, clock, refuses):
    world = Shop(database, clock)
    world.wallets.refuses = refuses
    purchase = None

    async def live(dies_at):
        nonlocal purchase
        world.wallets.credited.clear()
        purchase, _ = await world.service.record(a_payment())
        await world.runner.open()
        mortal = MortalDatabase(database, dies_at)
        try:
            await Shop(mortal, clock, world.wallets).settle()
        except Killed:
            clock.advance(SAGAS.lease_s)
            await Shop(database, clock, world.wallets).settle()
        return mortal.points

    async def judge():
        outcome = "refused" if refuses else "credited"
        assert await world.history(purchase) == ["paid", outcome]
        assert len(world.wallets.credited) == (0 if refuses else 1)
        assert await world.tasks.count_dead() == 0

    assert await die_everywhere(live, judge) > 15
