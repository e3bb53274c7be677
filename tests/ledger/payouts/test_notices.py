"""Notices: who signed them, when, and what they say."""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.payouts.errors import BadNotice, BadSignature
from ledger.payouts.notices import Notice, parse, signature, verify
from ledger.payouts.results import PayoutResult, ResultStatus

KEY, OLD = b"k" * 32, b"o" * 32
NOW = datetime(2026, 1, 1, tzinfo=UTC)
TIME_S = int(NOW.timestamp())
ONE = UUID("01990000-0000-7000-8000-000000000001")
SOUND = {
    "id": "evt_1",
    "payout_id": str(ONE),
    "status": "settled",
    "amount_minor": 5000,
    "currency": "COIN",
    "reference": "BANK-1",
}
BODY = orjson.dumps(SOUND)


def check(header, body=BODY, keys=(KEY, OLD), now=NOW):
    verify(header, body, keys, now, tolerance_s=300)


def test_either_key_opens_while_they_change():
    for key in (KEY, OLD):
        check(signature(key, TIME_S, BODY))
    old, new = signature(OLD, TIME_S, BODY), signature(KEY, TIME_S, BODY)
    check(f"{old},{new.split(',')[1]}", keys=(KEY,))


def test_a_clock_may_differ_a_little():
    for seconds in (-300, 300):
        check(signature(KEY, TIME_S + seconds, BODY))
    for seconds in (-301, 301):
        with pytest.raises(BadSignature):
            check(signature(KEY, TIME_S + seconds, BODY))
    with pytest.raises(BadSignature):
        check(signature(KEY, TIME_S, BODY), now=NOW + timedelta(hours=1))


GOOD = signature(KEY, TIME_S, BODY)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=,v1=",
        f"t={TIME_S}",
        GOOD.split(",")[1],
        f"t=x,{GOOD.split(',')[1]}",
        f"t={TIME_S + 1},{GOOD.split(',')[1]}",
        f"t={TIME_S},{GOOD}",
        f"t={'9' * 13},{GOOD.split(',')[1]}",
        GOOD[:-1],
        GOOD.replace("v1=", "v0="),
        GOOD + "ü",
        f"t={TIME_S}," + ",".join(["v1=00"] * 4) + "," + GOOD.split(",")[1],
        GOOD + "," * 500,
    ],
)
def test_what_is_not_signed_by_us_is_refused(header):
    with pytest.raises(BadSignature):
        check(header)


def test_another_body_or_no_key_is_refused():
    for body, keys in ((BODY + b" ", (KEY,)), (BODY, (OLD,)), (BODY, ())):
        with pytest.raises(BadSignature):
            check(GOOD, body=body, keys=keys)


def test_a_notice_is_read():
    assert parse(BODY) == Notice(
        "evt_1",
        hashlib.sha256(BODY).digest(),
        PayoutResult(ONE, ResultStatus.SETTLED, 5000, "COIN", "BANK-1", None),
    )


@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"id": ""},
        {"id": "x" * 101},
        {"id": 7},
        {"payout_id": "x"},
        {"payout_id": None},
        {"payout_id": 5},
        {"status": "paid"},
        {"status": None},
        {"status": ["settled"]},
        {"amount_minor": "5000"},
        {"amount_minor": 0},
        {"amount_minor": -5},
        {"amount_minor": 1.5},
        {"amount_minor": True},
        {"amount_minor": 2**63},
        {"currency": 5},
        {"reference": "a\nb"},
        {"reason": "x" * 501},
    ],
)
def test_what_can_t_be_understood_is_refused(change):
    with pytest.raises(BadNotice):
        parse(orjson.dumps(SOUND | change))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(body):
    with pytest.raises(BadNotice):
        parse(body)


@given(st.text(max_size=200))
def test_any_header_is_refused(header):
    with pytest.raises(BadSignature):
        check(header)
