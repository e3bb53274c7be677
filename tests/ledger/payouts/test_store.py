"""Payouts on a real PostgreSQL: one open one a user, all or nothing, no impossible move."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import asyncpg
import pytest

from ledger.errors import IdempotencyMismatch
from ledger.payouts.errors import PayoutConflict, PayoutUnderWay, UnknownPayout
from ledger.payouts.events import PayoutCancelled, PayoutContradicted, PayoutRequested
from ledger.payouts.payout import PayoutRequest, advanced
from ledger.payouts.states import PayoutAction, PayoutState


def a_request(**fields):
    sound = {
        "request_id": uuid4(),
        "user_id": uuid4(),
        "amount_minor": 5_000,
        "destination": "DE02 1203",
    }
    return PayoutRequest(**sound | fields)


@pytest.fixture
def add(house, clock):
    async def make(request):
        return await house.store.add(request, "COIN", clock())

    return make


async def test_a_payout_begins_with_its_row_and_its_event(add, house, clock):
    request = a_request()
    payout, repeated = await add(request)
    assert not repeated
    assert (payout.state, payout.version, payout.requested_at) == ("requested", 1, clock())
    assert payout.payout_id.version == 7
    assert await house.store.get(payout.payout_id) == payout
    [event] = await house.store.history(payout.payout_id)
    assert event.data == PayoutRequested(request.user_id, 5_000, "COIN")


async def test_the_same_request_again_is_the_same_payout(add, house):
    request = a_request()
    payout, _ = await add(request)
    assert await add(request) == (payout, True)
    with pytest.raises(IdempotencyMismatch):
        await add(replace(request, amount_minor=1))
    assert await house.events.head() == 1


async def test_a_user_has_one_open_payout(add, house, clock):
    request = a_request()
    payout, _ = await add(request)
    another = replace(request, request_id=uuid4())
    with pytest.raises(PayoutUnderWay):
        await add(another)
    await add(a_request())

    def cancel(payout):
        return advanced(payout, PayoutAction.CANCEL, clock()), PayoutCancelled()

    await house.store.change(payout.payout_id, cancel, clock())
    assert (await add(another))[1] is False


async def test_of_many_requests_at_once_one_is_taken(add, house):
    user_id = uuid4()
    outcomes = await asyncio.gather(
        *(add(a_request(user_id=user_id)) for _ in range(10)), return_exceptions=True
    )
    assert sum(isinstance(outcome, PayoutUnderWay) for outcome in outcomes) == 9
    request = a_request()
    same = await asyncio.gather(*(add(request) for _ in range(10)))
    assert len({payout.payout_id for payout, _ in same}) == 1
    assert sum(not repeated for _, repeated in same) == 1
    assert await house.events.head() == 2


async def test_of_many_changes_at_once_one_is_made(add, house, clock):
    payout, _ = await add(a_request())

    async def cancel():
        await house.store.change(
            payout.payout_id,
            lambda p: (advanced(p, PayoutAction.CANCEL, clock()), PayoutCancelled()),
            clock(),
        )

    outcomes = await asyncio.gather(*(cancel() for _ in range(8)), return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 1
    assert sum(isinstance(outcome, PayoutConflict) for outcome in outcomes) == 7
    assert await house.history(payout) == ["requested", "cancelled"]


async def test_what_is_refused_changes_nothing(add, house, clock):
    payout, _ = await add(a_request())

    def refuse(_):
        raise PayoutConflict(PayoutAction.SETTLE, PayoutState.REQUESTED)

    with pytest.raises(PayoutConflict):
        await house.store.change(payout.payout_id, refuse, clock())
    assert await house.store.change(payout.payout_id, lambda _: None, clock()) == payout
    with pytest.raises(UnknownPayout):
        await house.store.change(uuid4(), lambda _: None, clock())
    with pytest.raises(UnknownPayout):
        await house.store.get(uuid4())
    assert await house.events.head() == 1


async def test_a_note_asks_an_admin_to_look(add, house, clock):
    payout, _ = await add(a_request())
    await add(a_request())
    data = PayoutContradicted("why", "file")
    noted = await house.store.note(payout.payout_id, data, clock(), "why")
    assert await house.store.to_look_at(None, 10) == [noted]
    assert (await house.store.history(payout.payout_id))[-1].data == data


async def test_lists_are_pages(add, house):
    user_id = uuid4()
    made = [(await add(a_request()))[0] for _ in range(3)]
    mine, _ = await add(a_request(user_id=user_id))
    assert await house.store.of_user(user_id, None, 10) == [mine]
    newest = await house.store.newest(None, None, 2)
    rest = await house.store.newest(PayoutState.REQUESTED, newest[-1].payout_id, 10)
    assert {p.payout_id for p in (*newest, *rest)} == {p.payout_id for p in (*made, mine)}
    assert await house.store.newest(PayoutState.HELD, None, 10) == []


async def test_the_database_refuses_what_there_can_t_be(add, house, pool):
    payout, _ = await add(a_request())
    for change in (
        "state = 'held', version = 2, hold_id = gen_random_uuid()",
        "state = 'settled', version = 2",
        "version = 1, reason = 'x'",
    ):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await pool.execute(f"UPDATE ledger.payouts SET {change}")
    await pool.execute("UPDATE ledger.payouts SET state = 'approved', version = 2")
    with pytest.raises(asyncpg.CheckViolationError, match="held_before"):
        await pool.execute("UPDATE ledger.payouts SET state = 'held', version = 3")
    for statement in (
        "UPDATE ledger.payouts SET amount_minor = 1",
        "UPDATE ledger.payouts SET destination = 'mine'",
        "DELETE FROM ledger.payouts",
        "DELETE FROM ledger.payout_notices",
        "DELETE FROM ledger.payout_batches",
        "DELETE FROM ledger.payout_imports",
        "DELETE FROM ledger.payout_moves",
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            await pool.execute(statement)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="begins as requested"):
        await pool.execute(
            "INSERT INTO ledger.payouts SELECT gen_random_uuid(), gen_random_uuid(), request_id,"
            " request_hash, 1, 'COIN', 'x', 'approved', 1, now(), now() FROM ledger.payouts"
        )
    assert (await house.store.get(payout.payout_id)).amount_minor == 5_000
