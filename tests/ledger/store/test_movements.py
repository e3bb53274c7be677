"""Holds, reversals and earnings in the books: refusals come with their details."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from ledger.accounts import AccountCode
from ledger.transfer import TransferResult

KEY = (uuid4(), uuid4(), b"h" * 32)
R = TransferResult


async def test_refusals_have_their_details(store):
    books = store.movements
    hold = {
        "owner_id": uuid4(),
        "code": "wallet",
        "currency": "COIN",
        "amount_minor": 5,
        "expires_at": datetime.now(UTC),
        "reason": "x",
        "metadata": {"case": 1},
    }
    short = (R.INSUFFICIENT_FUNDS, {"balance_minor": 0, "total_minor": 5})
    assert await books.place_hold(KEY, hold) == short
    assert await books.place_hold(KEY, hold | {"currency": "EURO"}) == (
        R.UNKNOWN_CURRENCY,
        {"currency": "EURO"},
    )
    assert await books.void_hold(KEY, uuid4()) == (R.UNKNOWN_HOLD, {})
    capture = hold | {"hold_id": uuid4(), "posting": {"kind": "x", "description": "x"}}
    assert await books.capture_hold(KEY, capture) == (R.UNKNOWN_HOLD, {})
    reversal = {"transaction_id": uuid4(), "amount_minor": 1, "shortfall": "refuse", "posting": {}}
    assert await books.reverse(KEY, reversal) == (R.UNKNOWN_TRANSACTION, {})
    closing = await books.close_account(uuid4(), AccountCode.WALLET, "COIN")
    assert closing is R.UNKNOWN_ACCOUNT


async def test_nothing_to_do_is_said(store):
    assert await store.movements.expire_holds(10) == 0
    now = datetime.now(UTC)
    assert await store.movements.mature_earnings("COIN", now, UUID(int=0), 10, "x") == (None, 0)


async def test_a_refused_request_leaves_nothing(store, pool):
    await store.movements.void_hold(KEY, uuid4())
    assert await pool.fetchval("SELECT count(*) FROM ledger.requests") == 0
    assert await pool.fetchval("SELECT count(*) FROM ledger.accounts") == 0
