"""What users and admins do with payouts."""

from dataclasses import replace
from uuid import uuid4

import pytest

from ledger.errors import IdempotencyMismatch, OwnMoney
from ledger.payouts.errors import (
    AvailableTooSmall,
    InvalidPayoutField,
    PayoutConflict,
    PayoutUnderWay,
    UnknownPayout,
)
from ledger.payouts.payout import PayoutLimits, PayoutRequest
from ledger.payouts.results import ResultSource
from ledger.payouts.states import PayoutState
from tests.support.payout_house import DESTINATION, result

ADMIN = uuid4()


async def test_a_request_is_taken_once(house):
    user = house.user()
    request = PayoutRequest(uuid4(), user, 5_000, DESTINATION)
    payout, repeated = await house.service.request(request)
    assert not repeated
    await house.settle()
    again, repeated = await house.service.request(request)
    assert repeated
    assert again.payout_id == payout.payout_id
    with pytest.raises(IdempotencyMismatch):
        await house.service.request(replace(request, amount_minor=4_000))
    with pytest.raises(PayoutUnderWay):
        await house.ask(user, 1_000)


async def test_a_repeat_is_answered_whatever_may_be_asked_for_since(house):
    request = PayoutRequest(uuid4(), house.user(), 5_000, DESTINATION)
    payout, _ = await house.service.request(request)
    house.service.limits = PayoutLimits(6_000, 10_000)
    assert await house.service.request(request) == (payout, True)
    with pytest.raises(IdempotencyMismatch):
        await house.service.request(replace(request, destination="\ud800"))
    with pytest.raises(InvalidPayoutField):
        await house.service.request(replace(request, request_id=uuid4()))


async def test_what_may_not_be_asked_for_is_refused(house):
    user = house.user(20_000)
    for fields in ({"amount_minor": 999}, {"destination": "=1+1"}):
        with pytest.raises(InvalidPayoutField):
            await house.ask(user, **fields)
    with pytest.raises(AvailableTooSmall) as refusal:
        await house.ask(user, 20_001)
    assert refusal.value.available_minor == 20_000
    assert await house.service.of_user(user, None, 10) == await house.service.of_user(
        uuid4(), None, 10
    )


async def test_cancelling_is_for_its_user_and_again_is_as_once(house):
    user = house.user()
    payout = await house.ask(user)
    with pytest.raises(UnknownPayout):
        await house.service.cancel(uuid4(), payout.payout_id)
    cancelled = await house.service.cancel(user, payout.payout_id)
    assert cancelled.state is PayoutState.CANCELLED
    assert await house.service.cancel(user, payout.payout_id) == cancelled
    await house.settle()
    assert house.books.available[user] == 10_000


async def test_what_is_sent_is_not_cancelled_or_stopped(wired):
    user = wired.user()
    payout = await wired.ask(user)
    await wired.settle()
    with pytest.raises(PayoutConflict):
        await wired.service.cancel(user, payout.payout_id)
    with pytest.raises(PayoutConflict):
        await wired.service.flag(payout.payout_id, ADMIN, "Wait.")
    with pytest.raises(PayoutConflict):
        await wired.service.reject(payout.payout_id, ADMIN, "No.")


async def test_an_admin_stops_approves_and_rejects(house):
    user = house.user()
    payout = await house.ask(user)
    await house.settle()
    stopped = await house.service.flag(payout.payout_id, ADMIN, " Looks odd. ")
    assert stopped.state is PayoutState.REVIEW
    assert stopped.reason is None, "what the house suspects is not the user's to read"
    approved = await house.service.approve(payout.payout_id, ADMIN, "All well.")
    assert approved.state is PayoutState.APPROVED
    await house.settle()
    assert await house.state(payout) == "held"
    rejected = await house.service.reject(payout.payout_id, ADMIN, "Not your account.")
    assert (rejected.state, rejected.reason) == (PayoutState.REJECTED, "Not your account.")
    await house.settle()
    assert house.books.available[user] == 10_000
    history = await house.service.history(payout.payout_id)
    assert [event.data.by for event in history if hasattr(event.data, "by")] == [
        None,
        ADMIN,
        ADMIN,
        ADMIN,
    ]


async def test_nobody_approves_their_own(house):
    user = house.user()
    payout = await house.ask(user)
    await house.settle()
    await house.service.flag(payout.payout_id, user, "On second thoughts.")
    with pytest.raises(OwnMoney):
        await house.service.approve(payout.payout_id, user, "All well.")
    assert await house.state(payout) == "review"
    assert (await house.service.approve(payout.payout_id, ADMIN, "So it is.")).state == "approved"


async def test_a_reason_is_needed(house):
    payout = await house.ask(house.user())
    for act in (house.service.flag, house.service.approve, house.service.reject):
        with pytest.raises(InvalidPayoutField):
            await act(payout.payout_id, ADMIN, " ")


async def test_nobody_else_sees_it(house):
    user = house.user()
    payout = await house.ask(user)
    assert (await house.service.mine(user, payout.payout_id)).payout_id == payout.payout_id
    with pytest.raises(UnknownPayout):
        await house.service.mine(uuid4(), payout.payout_id)
    with pytest.raises(UnknownPayout):
        await house.service.history(uuid4())


async def test_pages(house):
    made = [await house.ask(house.user()) for _ in range(5)]
    seen, cursor = [], None
    while True:
        page = await house.service.newest(PayoutState.REQUESTED, cursor, 2)
        seen += page.payouts
        cursor = page.next_cursor
        if cursor is None:
            break
    assert {payout.payout_id for payout in seen} == {payout.payout_id for payout in made}
    assert len(seen) == 5
    assert (await house.service.to_look_at(None, 10)).payouts == ()


async def test_one_that_failed_leaves_the_way_free(wired):
    user = wired.user()
    payout = await wired.ask(user)
    await wired.settle()
    await wired.settlement.record(result(payout, "failed", "Closed."), ResultSource.ADMIN, ADMIN)
    await wired.settle()
    assert (await wired.service.get(payout.payout_id)).reason == "Closed."
    await wired.ask(user, 10_000)
