"""A payout's steps over a real PostgreSQL: every way through, and what goes wrong on it."""

import asyncio
from uuid import uuid4

import pytest

from ledger.errors import LedgerBusy
from ledger.payouts.errors import (
    ContradictoryResult,
    PayoutConflict,
    ProviderContradicts,
    ProviderUnavailable,
)
from ledger.payouts.provider import Accepted, Refused
from ledger.payouts.results import ResultSource
from ledger.payouts.saga import REACTIONS
from ledger.sagas.steps import TaskState
from tests.support.payout_house import SAGAS, House, result

PROVIDER = ResultSource.PROVIDER


async def test_a_payout_that_is_paid(wired):
    payout = await wired.ask(wired.user())
    await wired.settle()
    assert await wired.state(payout) == "sent"
    assert (wired.books.on_the_way, wired.books.paid) == (5_000, 0)
    await wired.settlement.record(result(payout, "settled"), PROVIDER)
    await wired.settle()
    assert await wired.history(payout) == [
        "requested",
        "approved",
        "held",
        "sending",
        "captured",
        "sent",
        "settled",
        "booked",
    ]
    assert (wired.books.on_the_way, wired.books.paid) == (0, 5_000)
    [order] = wired.bank.paid.values()
    assert (order.payout_id, order.amount_minor) == (payout.payout_id, 5_000)


async def test_paid_by_hand_it_waits_for_a_batch(house):
    payout = await house.ask(house.user())
    await house.settle()
    assert await house.state(payout) == "held"
    await house.batches.make(uuid4(), uuid4())
    await house.settle()
    assert await house.state(payout) == "sent"


async def test_an_open_alert_stops_it_until_an_admin_approves(wired):
    user, admin = wired.user(), uuid4()
    wired.watch.suspects.add(user)
    payout = await wired.ask(user)
    await wired.settle()
    assert await wired.state(payout) == "review"
    assert wired.books.available[user] == 10_000
    await wired.service.approve(payout.payout_id, admin, "Known to us.")
    await wired.settle()
    assert await wired.state(payout) == "review", "an alert that is still open stops it again"
    wired.watch.suspects.clear()
    await wired.service.approve(payout.payout_id, admin, "The alert was cleared.")
    await wired.settle()
    assert await wired.state(payout) == "sent"
    assert wired.books.total == 10_000


async def test_an_alert_that_comes_while_it_is_held_stops_it(house):
    user = house.user()
    payout = await house.ask(user)
    await house.settle()
    house.watch.suspects.add(user)
    await house.batches.make(uuid4(), uuid4())
    assert await house.state(payout) == "review"
    await house.service.reject(payout.payout_id, uuid4(), "Fraud.")
    await house.settle()
    assert await house.history(payout) == [
        "requested",
        "approved",
        "held",
        "flagged",
        "rejected",
        "booked",
    ]
    assert house.books.available[user] == 10_000


async def test_a_large_amount_needs_an_admin(database, clock):
    house = House(database, clock, fields={"review_from_minor": 5_000})
    small, large = await house.ask(house.user(), 4_999), await house.ask(house.user(), 5_000)
    await house.settle()
    assert (await house.state(small), await house.state(large)) == ("held", "review")


async def test_a_check_that_does_not_answer_is_asked_again(wired, clock):
    wired.watch.failures = [LedgerBusy(), TimeoutError()]
    payout = await wired.ask(wired.user())
    for _ in range(3):
        await wired.settle()
        clock.advance(5)
    assert await wired.state(payout) == "sent"


async def test_earnings_that_are_gone_fail_it(wired):
    user = wired.user()
    payout = await wired.ask(user)
    wired.books.available[user] = 10  # a chargeback was faster
    await wired.settle()
    assert await wired.history(payout) == ["requested", "approved", "failed"]
    failed = await wired.store.get(payout.payout_id)
    assert failed.reason == "Your available earnings are smaller than this payout."
    assert wired.books.available[user] == 10


async def test_a_hold_that_has_ended_fails_it(house):
    user = house.user()
    payout = await house.ask(user)
    await house.settle()
    house.books.expire()
    await house.batches.make(uuid4(), uuid4())
    await house.settle()
    assert await house.history(payout) == [
        "requested",
        "approved",
        "held",
        "sending",
        "failed",
        "booked",
    ]
    assert house.books.available[user] == 10_000


async def test_what_the_provider_refuses_is_given_back(wired):
    user = wired.user()
    wired.bank.answers = [Refused("No such account.")]
    payout = await wired.ask(user)
    await wired.settle()
    failed = await wired.store.get(payout.payout_id)
    assert (failed.state, failed.reason) == ("failed", "No such account.")
    assert wired.books.available[user] == 10_000
    assert (await wired.history(payout))[-1] == "booked"


async def test_a_lost_answer_is_asked_for_again_and_paid_once(wired, clock):
    wired.bank.lost_answers = [ProviderUnavailable(), ProviderUnavailable()]
    payout = await wired.ask(wired.user())
    for _ in range(3):
        await wired.settle()
        clock.advance(5)
    assert await wired.state(payout) == "sent"
    assert wired.bank.calls == 3
    assert len(wired.bank.paid) == 1


async def test_a_provider_that_stays_away_is_given_up_but_never_failed(wired, clock):
    wired.bank.lost_answers = [ProviderUnavailable("away")] * 3
    payout = await wired.ask(wired.user())
    for _ in range(5):
        await wired.settle()
        clock.advance(60)
    [dead] = await wired.tasks.tasks(state=TaskState.DEAD, limit=10)
    assert dead.step == "payout.submit"
    assert await wired.state(payout) == "captured", "it may have been paid"
    await wired.settlement.record(result(payout, "settled"), PROVIDER)
    await wired.settle()
    assert await wired.state(payout) == "settled"
    assert wired.books.paid == 5_000
    assert await wired.tasks.count_dead() == 0


async def test_an_answer_about_another_order_needs_a_person_at_once(wired):
    wired.bank.answers = [ProviderContradicts("another amount")]
    payout = await wired.ask(wired.user())
    await wired.settle()
    [dead] = await wired.tasks.tasks(state=TaskState.DEAD, limit=10)
    assert (dead.attempts, dead.last_error) == (1, "GiveUp: another amount")
    assert await wired.state(payout) == "captured"


async def test_a_provider_that_is_not_set_up_any_more_needs_a_person(wired, database, clock):
    payout = await wired.ask(wired.user())
    wired.bank.answers = [ProviderUnavailable()]
    await wired.settle()
    wired.steps._providers = {}
    clock.advance(60)
    await wired.settle()
    [dead] = await wired.tasks.tasks(state=TaskState.DEAD, limit=10)
    assert "http" in dead.last_error
    assert await wired.state(payout) == "captured"


async def test_a_refusal_after_a_settlement_is_no_failure(wired):
    class TwoMinds:
        name, automatic = "http", True

        async def submit(self, order):
            payout = await wired.store.get(order.payout_id)
            await wired.settlement.record(result(payout, "settled"), PROVIDER)
            return Refused("No such account.")

    wired.steps._providers = {"http": TwoMinds()}
    payout = await wired.ask(wired.user())
    await wired.settle()
    assert await wired.state(payout) == "settled"
    [dead] = await wired.tasks.tasks(state=TaskState.DEAD, limit=10)
    assert "refuses" in dead.last_error


@pytest.mark.parametrize(
    ("source", "attention"),
    [
        (ResultSource.ADMIN, "accepted by the provider as 'BANK-1', but the payout is failed"),
        (ResultSource.PROVIDER, None),
    ],
)
async def test_what_is_accepted_after_it_was_failed_by_hand_is_for_an_admin(
    wired, source, attention
):
    class Slow:
        name, automatic = "http", True

        async def submit(self, order):
            payout = await wired.store.get(order.payout_id)
            await wired.settlement.record(result(payout, "failed", "Too late."), source)
            return Accepted("BANK-1")

    wired.steps._providers = {"http": Slow()}
    payout = await wired.ask(wired.user())
    await wired.settle()
    now_is = await wired.store.get(payout.payout_id)
    assert (now_is.state, now_is.attention) == ("failed", attention)
    assert ("contradicted" in await wired.history(payout)) == (attention is not None)


@pytest.mark.parametrize(
    ("source", "attention"),
    [
        (ResultSource.ADMIN, "maybe taken by the provider before, but the payout is failed"),
        (ResultSource.PROVIDER, None),
    ],
)
async def test_what_may_have_been_taken_before_it_was_failed_by_hand_is_for_an_admin(
    wired, source, attention
):
    wired.bank.lost_answers = [ProviderUnavailable("It does not answer.")]
    payout = await wired.ask(wired.user())
    await wired.settle()
    assert await wired.state(payout) == "captured"
    await wired.settlement.record(result(payout, "failed", "Too late."), source)
    wired.clock.advance(SAGAS.longest_backoff_s)
    await wired.settle()
    assert payout.payout_id in wired.bank.paid
    now_is = await wired.store.get(payout.payout_id)
    assert (now_is.state, now_is.attention) == ("failed", attention)
    told = await wired.history(payout)
    await wired.steps.submit(*await its_step(wired, payout, "payout.submit"))
    assert await wired.history(payout) == told, "and once"


async def its_step(house, payout, step):
    """A task of a payout that was tried before, and its event."""
    tasks = await house.tasks.tasks(stream_id=payout.stream_id, limit=10)
    [task] = [task for task in tasks if task.step == step]
    [event] = await house.events.read_stream(payout.stream_id, task.version, limit=1)
    return task, event


async def test_a_note_in_the_middle_of_a_step_does_not_lose_it(wired):
    class Confused:
        name, automatic = "http", True

        async def submit(self, order):
            payout = await wired.store.get(order.payout_id)
            with pytest.raises(ContradictoryResult):
                await wired.settlement.record(result(payout, "settled", amount_minor=1), PROVIDER)
            return Accepted("BANK-1")

    wired.steps._providers = {"http": Confused()}
    payout = await wired.ask(wired.user())
    await wired.settle()
    sent = await wired.store.get(payout.payout_id)
    assert (sent.state, sent.reference) == ("sent", "BANK-1")
    assert sent.attention


async def test_stopped_and_approved_again_it_keeps_its_hold(house):
    user = house.user()
    payout = await house.ask(user)
    await house.settle()
    first = (await house.store.get(payout.payout_id)).hold_id
    await house.service.flag(payout.payout_id, uuid4(), "Wait.")
    house.clock.advance(3_600)
    await house.service.approve(payout.payout_id, uuid4(), "Go on.")
    await house.settle()
    again = await house.store.get(payout.payout_id)
    assert (again.state, again.hold_id) == ("held", first)
    assert house.books.available[user] == 5_000


async def test_what_comes_back_is_given_back(wired):
    user = wired.user()
    payout = await wired.ask(user)
    await wired.settle()
    await wired.settlement.record(result(payout, "settled"), PROVIDER)
    await wired.settlement.record(result(payout, "returned", "Account closed."), PROVIDER)
    await wired.settle()
    assert (await wired.history(payout))[-3:] == ["returned", "booked", "booked"]
    assert wired.books.available[user] == 10_000
    assert (wired.books.on_the_way, wired.books.paid) == (0, 0)


async def test_cancelled_while_held_its_hold_ends(house):
    user = house.user()
    payout = await house.ask(user)
    await house.settle()
    assert house.books.available[user] == 5_000
    await house.service.cancel(user, payout.payout_id)
    await house.settle()
    assert await house.state(payout) == "cancelled"
    assert house.books.available[user] == 10_000


async def test_cancelling_races_with_sending(house):
    for _ in range(10):
        user = house.user()
        payout = await house.ask(user)
        await house.settle()
        outcomes = await asyncio.gather(
            house.service.cancel(user, payout.payout_id),
            house.batches.make(uuid4(), uuid4()),
            return_exceptions=True,
        )
        await house.settle()
        cancelled = not isinstance(outcomes[0], PayoutConflict)
        assert await house.state(payout) == ("cancelled" if cancelled else "sent")
        assert house.books.available[user] == (10_000 if cancelled else 5_000)
        if not cancelled:
            await house.settlement.record(result(payout, "failed", "x"), ResultSource.FILE)
            await house.settle()


def test_every_reaction_has_its_step(house):
    assert set(house.steps.saga().steps) == set(REACTIONS.values())
