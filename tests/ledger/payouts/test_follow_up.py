"""Payouts whose notice did not come are asked about."""

import asyncio

import pytest

from ledger.payouts.errors import ProviderUnavailable
from ledger.payouts.follow_up import MOST_FAILURES, FollowUp
from tests.support.payout_house import result


@pytest.fixture
def follow_up(wired):
    return FollowUp(
        wired.store, wired.settlement, {"http": wired.bank}, every_s=3_600, clock=wired.clock
    )


async def sent(house, count=1):
    payouts = [await house.ask(house.user()) for _ in range(count)]
    await house.settle()
    return payouts


async def test_what_became_of_it_is_asked_when_it_took_too_long(wired, follow_up):
    settled, failed, pending = await sent(wired, 3)
    wired.bank.outcomes = {
        settled.payout_id: result(settled, "settled"),
        failed.payout_id: result(failed, "failed", "Closed."),
    }
    assert await follow_up.ask_once() == 0, "it is too early"
    wired.clock.advance(3_600)
    assert await follow_up.ask_once() == 2
    await wired.settle()
    states = [await wired.state(payout) for payout in (settled, failed, pending)]
    assert states == ["settled", "failed", "sent"]
    assert (wired.books.paid, wired.books.on_the_way) == (5_000, 5_000)
    assert await follow_up.ask_once() == 0


async def test_what_a_clock_that_was_ahead_has_sent_is_asked_about_once_it_is_right(
    wired, follow_up
):
    year_s = 365 * 86_400
    wired.clock.advance(year_s)
    [payout] = await sent(wired)
    wired.clock.advance(-year_s)
    wired.bank.outcomes[payout.payout_id] = result(payout, "settled")
    assert await follow_up.ask_once() == 1
    assert await wired.state(payout) == "settled"


async def test_what_can_t_be_true_is_told_an_admin_once(wired, follow_up):
    [payout] = await sent(wired)
    wired.bank.outcomes[payout.payout_id] = result(payout, "settled", amount_minor=1)
    for _ in range(3):
        wired.clock.advance(3_600)
        await follow_up.ask_once()
    assert await wired.state(payout) == "sent"
    assert (await wired.history(payout)).count("contradicted") == 1


async def test_a_provider_that_is_away_is_asked_the_next_time(wired, follow_up):
    await sent(wired, MOST_FAILURES)
    wired.clock.advance(3_600)
    wired.bank.away = True
    with pytest.raises(ProviderUnavailable):
        await follow_up.ask_once()
    follow_up._every_s = 0.001
    running = asyncio.create_task(follow_up.run())
    [payout] = await wired.store.newest(None, None, 1)
    wired.bank.outcomes[payout.payout_id] = result(payout, "settled")
    wired.bank.away = False
    async with asyncio.timeout(10):
        while await wired.state(payout) != "settled":
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])


async def test_orders_that_the_provider_does_not_know_hold_up_no_other(wired, follow_up):
    await sent(wired, 2 * MOST_FAILURES)
    *unknown, settled = await wired.store.newest(None, None, 100)
    wired.clock.advance(3_600)
    bank = Forgetful(result(settled, "settled"))
    follow_up._providers = {"http": bank}
    with pytest.raises(ProviderUnavailable):
        await follow_up.ask_once()
    assert len(bank.asked) == MOST_FAILURES
    assert await follow_up.ask_once() == 1
    assert bank.asked == [each.payout_id for each in (*unknown, settled)]
    assert await wired.state(settled) == "settled"
    with pytest.raises(ProviderUnavailable):
        await follow_up.ask_once()
    assert bank.asked[0] == bank.asked[-MOST_FAILURES], "it began with the newest again"


class Forgetful:
    """A provider that knows one order alone."""

    def __init__(self, known):
        self._known = known
        self.asked = []

    async def look_up(self, order):
        self.asked.append(order.payout_id)
        if order.payout_id != self._known.payout_id:
            raise ProviderUnavailable("The provider answered 404, and nothing of the order.")
        return self._known


async def test_a_provider_that_is_not_set_up_is_not_asked(wired):
    await sent(wired)
    wired.clock.advance(10**6)
    none = FollowUp(wired.store, wired.settlement, {}, every_s=1, clock=wired.clock)
    assert await none.ask_once() == 0
