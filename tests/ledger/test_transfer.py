"""The table of refusals, row by row, precedence included."""

from itertools import combinations, pairwise
from uuid import uuid4

import pytest

from config.ledger import DEFAULT_GIFTS
from ledger.gifts import catalogue
from ledger.grants import MAX_REASON_CHARS, GrantRequest
from ledger.money import Split
from ledger.transfer import (
    GIFT_CHECKS,
    GRANT_CHECKS,
    Known,
    Terms,
    TransferResult,
    check_gift,
    check_grant,
    quote_gift,
    settle,
    settle_gift,
)

R = TransferResult
TERMS = Terms(catalogue(DEFAULT_GIFTS), max_count=1000, fee_basis_points=3000, max_grant_minor=5000)
SAME = uuid4()

GIFT_FAULTS = {
    R.UNKNOWN_GIFT: {"gift_id": "sword"},
    R.INVALID_COUNT: {"count": 0},
    R.OWN_STREAM: {"payer_id": SAME, "payee_id": SAME},
}
GRANT_FAULTS = {R.INVALID_AMOUNT: {"amount_minor": 0}, R.INVALID_REASON: {"reason": ""}}


def grant(**fields):
    sound = {
        "request_id": uuid4(),
        "user_id": uuid4(),
        "amount_minor": 500,
        "reason": "welcome",
        "granted_by": uuid4(),
    }
    return GrantRequest(**sound | fields)


def test_a_sound_gift_is_admitted(gift):
    assert check_gift(gift(), TERMS) is R.ADMITTED
    assert check_gift(gift(count=1000), TERMS) is R.ADMITTED


@pytest.mark.parametrize("result", GIFT_FAULTS)
def test_each_fault_of_a_gift_is_refused(gift, result):
    assert check_gift(gift(**GIFT_FAULTS[result]), TERMS) is result


@pytest.mark.parametrize(
    "count", [0, -1, -(2**63), 1001, 2**31, 2**63, 2**64, True, False, 1.0, 1.5, "1", None, [], {}]
)
def test_counts_that_are_none(gift, count):
    assert check_gift(gift(count=count), TERMS) is R.INVALID_COUNT


@pytest.mark.parametrize("gift_id", ["", "Rose", "rose ", "\0", "\ud800", 1, None, [], {}, b"rose"])
def test_gifts_that_are_none(gift, gift_id):
    assert check_gift(gift(gift_id=gift_id), TERMS) is R.UNKNOWN_GIFT


@pytest.mark.parametrize(("first", "second"), list(combinations(GIFT_FAULTS, 2)))
def test_the_first_fault_of_a_gift_is_the_answer(gift, first, second):
    assert check_gift(gift(**GIFT_FAULTS[first] | GIFT_FAULTS[second]), TERMS) is first


def test_a_sound_grant_is_admitted():
    assert check_grant(grant(), TERMS) is R.ADMITTED
    assert check_grant(grant(amount_minor=5000, reason="x" * MAX_REASON_CHARS), TERMS) is R.ADMITTED


@pytest.mark.parametrize("amount", [0, -1, 5001, 2**63, True, 1.0, "1", None])
def test_amounts_that_are_none(amount):
    assert check_grant(grant(amount_minor=amount), TERMS) is R.INVALID_AMOUNT


@pytest.mark.parametrize(
    "reason", ["", "  ", "a\0b", "a\nb", "\ud800", "x" * (MAX_REASON_CHARS + 1), None, 1, b"x"]
)
def test_reasons_that_are_none(reason):
    assert check_grant(grant(reason=reason), TERMS) is R.INVALID_REASON


@pytest.mark.parametrize(("first", "second"), list(pairwise(GRANT_FAULTS)))
def test_the_first_fault_of_a_grant_is_the_answer(first, second):
    assert check_grant(grant(**GRANT_FAULTS[first] | GRANT_FAULTS[second]), TERMS) is first


def test_every_check_has_a_row_here():
    assert [result for result, _ in GIFT_CHECKS] == list(GIFT_FAULTS)
    assert [result for result, _ in GRANT_CHECKS] == list(GRANT_FAULTS)


def test_the_quote(gift):
    quote = quote_gift("heart", 3, TERMS)
    assert (quote.total_minor, quote.split) == (150, Split(45, 105))
    assert quote.description == "3 × Heart"


SAME_BEFORE, OTHER_BEFORE = Known(b"same"), Known(b"other")
LONG_AGO = Known(b"same", archived=True)


@pytest.mark.parametrize(
    ("known", "closed", "available", "result"),
    [
        (None, False, 100, R.POSTED),
        (None, False, 101, R.POSTED),
        (None, False, 99, R.INSUFFICIENT_FUNDS),
        (None, False, 0, R.INSUFFICIENT_FUNDS),
        (None, True, 100, R.ACCOUNT_CLOSED),
        (None, True, 99, R.ACCOUNT_CLOSED),
        (SAME_BEFORE, False, 100, R.REPEATED),
        (SAME_BEFORE, True, 0, R.REPEATED),
        (LONG_AGO, True, 0, R.REQUEST_EXPIRED),
        (OTHER_BEFORE, False, 100, R.IDEMPOTENCY_MISMATCH),
        (OTHER_BEFORE, True, 0, R.IDEMPOTENCY_MISMATCH),
    ],
)
def test_settling_a_gift(known, closed, available, result):
    found = settle_gift(known, b"same", closed=closed, available_minor=available, total_minor=100)
    assert found is result


@pytest.mark.parametrize(
    ("known", "result"),
    [
        (None, R.POSTED),
        (SAME_BEFORE, R.REPEATED),
        (LONG_AGO, R.REQUEST_EXPIRED),
        (OTHER_BEFORE, R.IDEMPOTENCY_MISMATCH),
        (Known(b"other", archived=True), R.IDEMPOTENCY_MISMATCH),
    ],
)
def test_settling_what_nothing_else_speaks_against(known, result):
    assert settle(known, b"same") is result
