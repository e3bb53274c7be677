"""Holds over real books: reserved, captured in parts, voided, expired to the millisecond."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from ledger.accounts import AccountCode
from ledger.errors import (
    AccountClosed,
    HoldClosed,
    IdempotencyMismatch,
    InsufficientFunds,
    InvalidAmount,
    InvalidLabel,
    InvalidPosting,
    InvalidReason,
    UnknownAccount,
    UnknownHold,
)
from ledger.holds import HOLDABLE, TRANSITIONS, HoldState, check_hold
from ledger.transfer import TransferResult

WALLET = AccountCode.WALLET
LATER = timedelta(hours=1)


@pytest.fixture
def place(ledger):
    """Hold an amount of a wallet for an hour; keywords replace fields."""

    async def place(owner_id, amount_minor, **fields):
        sound = {
            "caller_id": uuid4(),
            "request_id": uuid4(),
            "owner_id": owner_id,
            "code": WALLET,
            "amount_minor": amount_minor,
            "expires_at": datetime.now(UTC) + LATER,
            "reason": "purchase",
        }
        return await ledger.holds.place(**sound | fields)

    return place


@pytest.fixture
def capture(ledger):
    """Capture to the house's fees; keywords replace fields."""

    async def capture(hold, amount_minor=None, **fields):
        sound = {
            "caller_id": uuid4(),
            "request_id": uuid4(),
            "hold_id": hold.hold_id,
            "amount_minor": amount_minor,
            "to_owner_id": None,
            "to_code": AccountCode.FEES,
            "kind": "capture",
            "description": "Captured",
        }
        return await ledger.holds.capture(**sound | fields)

    return capture


@pytest.fixture
def void(ledger):
    async def void(hold, **fields):
        sound = {"caller_id": uuid4(), "request_id": uuid4(), "hold_id": hold.hold_id}
        return await ledger.holds.void(**sound | fields)

    return void


@pytest.fixture
def age(pool):
    """Let a hold be due: its times move into the past, as no caller can do it."""

    async def age(hold):
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("ALTER TABLE ledger.holds DISABLE TRIGGER append_only")
            await connection.execute(
                "UPDATE ledger.holds SET created_at = created_at - interval '2 hours',"
                " expires_at = expires_at - interval '2 hours' WHERE hold_id = $1",
                hold.hold_id,
            )
            await connection.execute("ALTER TABLE ledger.holds ENABLE TRIGGER append_only")

    return age


async def held(pool, owner):
    return await pool.fetchval(
        "SELECT held_minor FROM ledger.accounts WHERE owner_id = $1 AND code = 'wallet'", owner
    )


def test_only_an_open_hold_changes():
    assert [state for state in HoldState if TRANSITIONS[state]] == [HoldState.OPEN]
    assert set(TRANSITIONS[HoldState.OPEN].values()) == set(HoldState)


def test_what_a_hold_must_be():
    for code in AccountCode:
        expected = TransferResult.ADMITTED if code in HOLDABLE else TransferResult.UNKNOWN_ACCOUNT
        assert check_hold(code, 5, "why") is expected
    for amount in (0, -1, 2**63, True, 1.0, "5", None):
        assert check_hold(WALLET, amount, "why") is TransferResult.INVALID_AMOUNT
    assert check_hold(WALLET, 2**63 - 1, "") is TransferResult.INVALID_REASON
    assert check_hold(AccountCode.FEES, 0, "") is TransferResult.UNKNOWN_ACCOUNT
    assert check_hold(WALLET, 0, "") is TransferResult.INVALID_AMOUNT


async def test_what_is_held_cannot_be_spent(place, fund, ledger, gift, pool):
    ada = uuid4()
    await fund(ada, 100)
    hold = await place(ada, 95)
    assert (hold.state, hold.left_minor, hold.code) == (HoldState.OPEN, 95, WALLET)
    assert await held(pool, ada) == 95
    wallet = await ledger.wallet(ada)
    assert (wallet.balance_minor, wallet.held_minor) == (100, 95)
    with pytest.raises(InsufficientFunds) as caught:
        await ledger.send_gift(gift(payer_id=ada))
    assert (caught.value.balance_minor, caught.value.total_minor) == (5, 10)
    with pytest.raises(InsufficientFunds):
        await place(ada, 6)
    await place(ada, 5)


async def test_a_capture_posts_and_lowers_the_hold(place, capture, fund, ledger, pool):
    ada = uuid4()
    await fund(ada, 100)
    hold = await place(ada, 80)
    part = await capture(hold, 30)
    assert (part.hold.captured_minor, part.hold.state, part.hold.left_minor) == (
        30,
        HoldState.OPEN,
        50,
    )
    assert part.posting.transactions[0].legs[0].balance_minor == 70
    assert await held(pool, ada) == 50
    with pytest.raises(InsufficientFunds):
        await capture(hold, 51)
    rest = await capture(hold)
    assert (rest.hold.state, rest.hold.captured_minor) == (HoldState.CAPTURED, 80)
    assert await held(pool, ada) == 0
    assert (await ledger.wallet(ada)).balance_minor == 20
    with pytest.raises(HoldClosed) as caught:
        await capture(hold)
    assert caught.value.state == "captured"
    assert (await ledger.trial_balance()).balanced


async def test_a_void_gives_back_what_is_left(place, capture, void, fund, ledger, pool):
    ada = uuid4()
    await fund(ada, 100)
    hold = await place(ada, 80)
    await capture(hold, 30)
    voided = await void(hold)
    assert (voided.state, voided.captured_minor, voided.left_minor) == (HoldState.VOIDED, 30, 0)
    assert await held(pool, ada) == 0
    for act in (void, capture):
        with pytest.raises(HoldClosed):
            await act(hold)
    assert (await ledger.wallet(ada)).balance_minor == 70


async def test_from_its_moment_on_a_hold_keeps_nothing(
    place, capture, void, age, fund, ledger, gift, pool
):
    ada = uuid4()
    await fund(ada, 100)
    hold = await place(ada, 95)
    await age(hold)
    assert (await ledger.wallet(ada)).held_minor == 0
    for act in (capture, void):
        with pytest.raises(HoldClosed) as caught:
            await act(hold)
        assert caught.value.state == "expired"
    assert (await ledger.send_gift(gift(payer_id=ada))).balance_minor == 90  # nobody swept before
    assert await held(pool, ada) == 0
    state = "SELECT state FROM ledger.holds"
    assert await pool.fetchval(state) == "expired"


async def test_holds_that_are_due_are_swept_once(place, age, fund, ledger, pool):
    people = [uuid4() for _ in range(3)]
    for person in people:
        await fund(person, 100)
        await place(person, 40)
        await age(await place(person, 60))
    assert await ledger.holds.expire_due() == 3
    assert await ledger.holds.expire_due() == 0
    assert [await held(pool, person) for person in people] == [40] * 3
    count = "SELECT count(*) FROM ledger.event_log WHERE events LIKE '%expired%'"
    assert await pool.fetchval(count) == 3


async def test_repeats_are_answered_as_at_first(place, capture, void, fund, ledger):
    ada, key = uuid4(), {"caller_id": uuid4(), "request_id": uuid4()}
    await fund(ada, 100)
    at = datetime.now(UTC) + LATER
    hold = await place(ada, 60, expires_at=at, **key)
    assert await place(ada, 60, expires_at=at, **key) == hold
    with pytest.raises(IdempotencyMismatch):
        await place(ada, 61, expires_at=at, **key)
    key = {"caller_id": uuid4(), "request_id": uuid4()}
    first = await capture(hold, 60, **key)
    again = await capture(hold, 60, **key)
    assert again == replace(first, posting=replace(first.posting, repeated=True))
    other = await place(ada, 40)
    key = {"caller_id": uuid4(), "request_id": uuid4()}
    assert await void(other, **key) == await void(other, **key)
    assert (await ledger.wallet(ada)).balance_minor == 40


async def test_captures_at_once_never_count_twice(place, capture, fund, ledger, pool):
    ada = uuid4()
    await fund(ada, 100)
    hold = await place(ada, 50)
    answers = await asyncio.gather(*(capture(hold, 20) for _ in range(6)), return_exceptions=True)
    assert sum(not isinstance(answer, Exception) for answer in answers) == 2
    assert (await ledger.wallet(ada)).balance_minor == 60
    assert await held(pool, ada) == 10


async def test_what_is_refused(place, capture, void, fund):
    ada = uuid4()
    await fund(ada, 100)
    hold = await place(ada, 50)
    with pytest.raises(UnknownAccount):
        await place(ada, 5, code=AccountCode.EARNINGS)
    with pytest.raises(InvalidAmount):
        await place(ada, 0)
    with pytest.raises(InvalidReason):
        await place(ada, 5, reason="\0")
    with pytest.raises(InvalidAmount):
        await capture(hold, -1)
    with pytest.raises(InvalidReason):
        await capture(hold, description="")
    with pytest.raises(UnknownAccount):
        await capture(hold, to_code=WALLET)
    for act in (capture, void):
        with pytest.raises(UnknownHold):
            await act(hold, hold_id=uuid4())


async def test_repeats_are_answered_when_the_account_is_closed(place, capture, void, fund, ledger):
    ada = uuid4()
    await fund(ada, 100)
    keys = [{"caller_id": uuid4(), "request_id": uuid4()} for _ in range(3)]
    at = datetime.now(UTC) + LATER
    hold = await place(ada, 60, expires_at=at, **keys[0])
    voided = await void(hold, **keys[1])
    captured = await capture(await place(ada, 100), **keys[2])
    await ledger.earnings.close_account(ada, WALLET)
    assert await place(ada, 60, expires_at=at, **keys[0]) == hold
    assert await void(hold, **keys[1]) == voided
    assert (await capture(captured.hold, **keys[2])).hold == captured.hold
    with pytest.raises(AccountClosed):
        await place(ada, 1)


async def test_what_cannot_be_stored_is_refused(place, capture, fund):
    ada = uuid4()
    await fund(ada, 100)
    with pytest.raises(InvalidLabel):
        await place(ada, 60, metadata={"a": "\0"})
    hold = await place(ada, 60)
    for labels in ({"kind": "Bad Kind"}, {"reference": ""}, {"metadata": {"a": 2**64}}):
        with pytest.raises(InvalidLabel):
            await capture(hold, **labels)


async def test_nothing_is_captured_to_the_account_that_it_is_held_on(place, capture, fund, ledger):
    ada = uuid4()
    await fund(ada, 100)
    hold = await place(ada, 60)
    with pytest.raises(InvalidPosting):
        await capture(hold, 5, to_owner_id=ada, to_code=WALLET)
    assert (await ledger.wallet(ada)).held_minor == 60
    await capture(hold, 5, to_owner_id=uuid4(), to_code=WALLET)
    await capture(hold, 5, to_owner_id=ada, to_code=AccountCode.EARNINGS)
