"""A payout's process dies between any two things that it does, and is overtaken in the middle."""

from contextlib import suppress

import pytest

from ledger.payouts.errors import PayoutConflict
from ledger.payouts.provider import Refused
from ledger.payouts.results import ResultSource
from tests.support.crashes import Killed, MortalDatabase, die_everywhere
from tests.support.payout_house import SAGAS, House, result

PROVIDER = ResultSource.PROVIDER


async def test_cancelled_while_its_hold_is_placed_it_keeps_nothing(house):
    user = house.user()
    payout = await house.ask(user)
    await house.runner.open()
    await house.runner.turn()
    assert await house.state(payout) == "approved"
    books = Overtaken(house, user, payout)
    house.steps._books = books
    await house.settle()
    assert books.called
    assert await house.history(payout) == ["requested", "approved", "cancelled"]
    assert house.books.held == {}
    assert house.books.available[user] == 10_000


class Overtaken:
    """Books whose hold is placed while the user takes the payout back."""

    def __init__(self, house, user, payout):
        self._house, self._user, self._payout = house, user, payout
        self.called = False

    def __getattr__(self, name):
        return getattr(self._house.books, name)

    async def hold(self, payout, expires_at):
        hold_id = await self._house.books.hold(payout, expires_at)
        if not self.called:
            self.called = True
            await self._house.service.cancel(self._user, self._payout.payout_id)
        return hold_id


async def test_dying_while_it_is_cancelled_and_held_keeps_nothing(database, clock):
    world = House(database, clock)
    payout = user = None

    async def live(dies_at):
        nonlocal payout, user
        user = world.user()
        payout = await world.ask(user)
        await world.runner.open()
        await world.runner.turn()
        mortal = MortalDatabase(database, dies_at)
        dying = world.restarted(mortal)
        inner = dying.steps._books

        class Dying(Overtaken):
            def __getattr__(self, name):
                return getattr(inner, name)

        dying.steps._books = Dying(world, user, payout)
        try:
            await dying.settle()
        except Killed:
            clock.advance(SAGAS.lease_s)
            with suppress(PayoutConflict):
                await world.service.cancel(user, payout.payout_id)
            await world.restarted().settle()
        return mortal.points

    async def judge():
        assert await world.state(payout) == "cancelled"
        assert world.books.held == {}
        assert world.books.available[user] == 10_000

    assert await die_everywhere(live, judge) > 15


async def paid(house, payout):
    await house.settlement.record(result(payout, "settled"), PROVIDER)


async def came_back(house, payout):
    await paid(house, payout)
    await house.settlement.record(result(payout, "returned", "Closed."), PROVIDER)


async def refused(house, payout):
    """The bank has refused it by itself."""


WAYS = {
    "returned": (came_back, None, 10_000),
    "failed": (refused, Refused("No."), 10_000),
}


@pytest.mark.slow
@pytest.mark.parametrize("end", WAYS)
async def test_dying_at_any_point_pays_once_or_gives_back(database, clock, end):
    then, refusal, left = WAYS[end]
    world = House(database, clock, automatic=True)
    world.bank.refusal = refusal
    payout = user = None

    async def live(dies_at):
        nonlocal payout, user
        user = world.user()
        world.books.paid = 0
        payout = await world.ask(user)
        mortal = MortalDatabase(database, dies_at)
        dying = world.restarted(mortal)
        try:
            await go_on(dying)
        except Killed:
            clock.advance(SAGAS.lease_s)
            await go_on(world.restarted())
        return mortal.points

    async def go_on(house):
        await house.settle()
        await then(house, payout)
        await house.settle()

    async def judge():
        assert await world.state(payout) == end
        assert world.books.available[user] == left
        assert (world.books.on_the_way, world.books.paid) == (0, 10_000 - left)
        history = [each for each in await world.history(payout) if each != "booked"]
        assert len(history) == len(set(history))
        assert await world.tasks.count_dead() == 0

    assert await die_everywhere(live, judge) > 60
