"""How a batch is laid out, and how what speaks against its gifts is judged."""

import json
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.gift_batch import Found, judge, lay_out
from ledger.gifts import PreparedGift
from ledger.money import MAX_MINOR
from ledger.transfer import TransferResult

R = TransferResult
OWNERS = [UUID(int=number) for number in (7, 3, 2**127, 1)]
NAMES = [
    "payers",
    "payees",
    "changes",
    "payer_of",
    "payer_moved",
    "payee_of",
    "payee_moved",
    "house_moved",
    "fees",
    "totals",
    "requests",
    "hashes",
    "transactions",
    "descriptions",
    "events",
]


def prepared(payer=OWNERS[0], payee=OWNERS[1], total=10, fee=3):
    return PreparedGift(payer, payee, fee, total, uuid4(), b"#", uuid4(), "1 × Rose", "{")


def read(column):
    """A column: a literal, lines, or a list."""
    if not isinstance(column, str):
        return column
    return json.loads(f"[{column[1:-1]}]") if column.endswith("}") else column.split("\n")


owners = st.sampled_from(OWNERS)
gifts = st.lists(
    st.builds(
        lambda payer, payee, total, fee: prepared(payer, payee, total, min(fee, total)),
        owners,
        owners,
        st.integers(1, 1000),
        st.integers(0, 1000),
    ),
    min_size=1,
    max_size=12,
)


@given(gifts)
def test_accounts_move_gift_by_gift_to_what_is_added_to_them(batch):
    columns = dict(zip(NAMES, map(read, lay_out(batch).columns), strict=True))
    wallets = sorted({gift.payer_id for gift in batch})
    earnings = sorted({gift.payee_id for gift in batch})
    assert columns["payers"] == [str(owner) for owner in wallets]
    assert columns["payees"] == [str(owner) for owner in earnings]
    moved = dict.fromkeys([("wallet", each) for each in wallets], 0)
    moved |= dict.fromkeys([("earnings", each) for each in earnings], 0)
    accounts = list(moved)
    house = 0
    for place, gift in enumerate(batch):
        moved["wallet", gift.payer_id] -= gift.total_minor
        moved["earnings", gift.payee_id] += gift.total_minor - gift.fee_minor
        house += gift.fee_minor
        payer = accounts[columns["payer_of"][place] - 1]
        payee = accounts[columns["payee_of"][place] - 1]
        assert (payer, payee) == (("wallet", gift.payer_id), ("earnings", gift.payee_id))
        assert columns["payer_moved"][place] == moved[payer]
        assert columns["payee_moved"][place] == moved[payee]
        assert columns["house_moved"][place] == house
    assert columns["changes"] == [*moved.values(), *([house] if house else [])]
    assert sum(moved.values()) + house == 0
    assert columns["requests"] == [str(gift.request_id) for gift in batch]
    assert columns["descriptions"] == [gift.description for gift in batch]
    assert columns["events"] == [gift.event for gift in batch]


def test_more_than_a_balance_holds_is_not_laid_out():
    lay_out([prepared(total=MAX_MINOR, fee=0)])
    with pytest.raises(OverflowError):
        lay_out([prepared(total=MAX_MINOR, fee=0), prepared(total=1, fee=0)])
    others = [prepared(payer=OWNERS[2], total=MAX_MINOR), prepared(payer=OWNERS[3], total=10)]
    with pytest.raises(OverflowError):
        lay_out(others)


def test_a_refused_gift_leaves_its_coins_to_those_behind_it():
    batch = [prepared(total=total) for total in (20, 30, 5, 5)]
    found = Found(available=[25], closed=[False], known=[None] * 4)
    assert judge(batch, lay_out(batch), found) == [
        (R.POSTED, 25),
        (R.INSUFFICIENT_FUNDS, 5),
        (R.POSTED, 5),
        (R.INSUFFICIENT_FUNDS, 0),
    ]


def test_what_was_answered_before_is_answered_so_whatever_has_changed():
    batch = [prepared(), prepared(), prepared()]
    found = Found(available=[None], closed=[True], known=["repeated", "request_expired", None])
    assert [result for result, _ in judge(batch, lay_out(batch), found)] == [
        R.REPEATED,
        R.REQUEST_EXPIRED,
        R.ACCOUNT_CLOSED,
    ]


def test_closed_earnings_refuse_only_the_gifts_to_them():
    batch = [prepared(payee=OWNERS[1]), prepared(payee=OWNERS[2])]
    found = Found(available=[25], closed=[True, False], known=[None, None])
    assert judge(batch, lay_out(batch), found) == [(R.ACCOUNT_CLOSED, 25), (R.POSTED, 25)]
