"""Events as JSON: what PROTOCOL.md shows, there and back, and nothing malformed through."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.events import (
    AccountDescribed,
    CoinsGranted,
    CurrencyAdded,
    EventLeg,
    GiftSent,
    HoldChanged,
    LedgerEvent,
    MalformedEvent,
    PostingMade,
    batch_from_json,
    batch_to_json,
    from_json,
    to_json,
)

AT = datetime(2026, 1, 31, 12, 0, 0, 123_000, tzinfo=UTC)
GIFT = LedgerEvent(
    event_id=uuid4(),
    sequence=17,
    type="gift.sent",
    version=1,
    occurred_at=AT,
    data=GiftSent(
        transaction_id=uuid4(),
        request_id=uuid4(),
        stream_id=uuid4(),
        payer_id=uuid4(),
        payer_name="Zoë",
        payee_id=uuid4(),
        gift_id="rose",
        count=2,
        total_minor=20,
        fee_minor=6,
        currency="COIN",
        payer_balance_minor=480,
        payee_balance_minor=14,
    ),
)
GRANT = LedgerEvent(
    event_id=uuid4(),
    sequence=18,
    type="coins.granted",
    version=1,
    occurred_at=AT,
    data=CoinsGranted(uuid4(), uuid4(), uuid4(), uuid4(), 500, "COIN", 500, "welcome"),
)


def as_dict(event):
    return orjson.loads(to_json(event))


def test_the_json_is_the_protocols():
    value = as_dict(GIFT)
    assert list(value) == ["event_id", "sequence", "type", "version", "occurred_at", "data"]
    assert value["occurred_at"] == "2026-01-31T12:00:00.123Z"
    assert UUID(value["event_id"]) == GIFT.event_id
    assert value["data"]["payer_name"] == "Zoë"
    assert value["data"]["fee_minor"] == 6


def test_postings_and_holds_come_back_as_they_went():
    legs = (EventLeg(uuid4(), "wallet", "COIN", 5, 9), EventLeg(None, "fees", "COIN", -5, None))
    hold = HoldChanged(uuid4(), uuid4(), "wallet", "COIN", "open", 5, 0, 9, 5)
    for name, data in (
        ("posting.made", PostingMade(uuid4(), "refund", uuid4(), legs)),
        ("posting.made", PostingMade(uuid4(), "purchase", None, ())),
        ("hold.changed", hold),
        ("hold.changed", replace(hold, reason="payout", expires_at=AT, metadata_sha256="ab" * 32)),
        ("currency.added", CurrencyAdded("EURO", 2)),
        ("account.described", AccountDescribed(uuid4(), None, "fees", "COIN", "ab" * 32)),
    ):
        event = replace(GIFT, type=name, data=data)
        assert from_json(to_json(event)) == event


def test_a_hold_from_before_its_terms_were_told_is_read():
    hold = HoldChanged(uuid4(), uuid4(), "wallet", "COIN", "open", 5, 0, 9, 5)
    value = as_dict(event := replace(GIFT, type="hold.changed", data=hold))
    for name in ("reason", "expires_at", "metadata_sha256"):
        del value["data"][name]
    assert from_json(orjson.dumps(value)) == event


@pytest.mark.parametrize("legs", [None, {}, [1], [{}], [{"owner_id": "x"}]])
def test_legs_that_are_none_are_refused(legs):
    value = as_dict(replace(GIFT, type="posting.made", data=PostingMade(uuid4(), "x", None, ())))
    value["data"]["legs"] = legs
    with pytest.raises(MalformedEvent):
        from_json(orjson.dumps(value))


def test_events_come_back_as_they_went():
    assert from_json(to_json(GIFT)) == GIFT
    assert batch_from_json(batch_to_json([GIFT, GRANT])) == [GIFT, GRANT]
    assert batch_from_json(batch_to_json([])) == []


@given(
    st.integers(-(2**63), 2**63 - 1),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.datetimes(timezones=st.just(UTC)),
)
def test_any_value_comes_back(amount, name, at):
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    data = replace(GIFT.data, total_minor=amount, payer_name=name)
    event = replace(GIFT, occurred_at=at, data=data)
    assert from_json(to_json(event)) == event


def test_fields_of_a_later_release_are_passed_over():
    value = as_dict(GIFT)
    value["later"] = value["data"]["later"] = 1
    assert from_json(orjson.dumps(value)) == GIFT


@pytest.mark.parametrize(
    "payload", [b"", b"\xff", b"[", b"null", b"17", b'"x"', b"[]", b"{}", b'{"type": []}']
)
def test_what_is_no_event_is_refused(payload):
    with pytest.raises(MalformedEvent):
        from_json(payload)


@pytest.mark.parametrize("payload", [b"{}", b"1", b"[1]", b"[[]]", b"[{}]"])
def test_what_is_no_batch_is_refused(payload):
    with pytest.raises(MalformedEvent):
        batch_from_json(payload)


@pytest.mark.parametrize(
    "fault",
    [
        {"type": "gift.unsent"},
        {"version": 2},
        {"version": None},
        {"event_id": "x"},
        {"event_id": 1},
        {"sequence": "1"},
        {"sequence": True},
        {"occurred_at": "yesterday"},
        {"occurred_at": "2026-01-31T12:00:00"},
        {"occurred_at": 5},
        {"data": None},
        {"data": []},
        {"data": {}},
    ],
)
def test_a_fault_in_the_envelope_is_refused(fault):
    with pytest.raises(MalformedEvent):
        from_json(orjson.dumps(as_dict(GIFT) | fault))


@pytest.mark.parametrize(
    "fault", [{"payer_id": None}, {"total_minor": 1.5}, {"count": "2"}, {"payer_name": 7}]
)
def test_a_fault_in_the_data_is_refused(fault):
    value = as_dict(GIFT)
    value["data"] |= fault
    with pytest.raises(MalformedEvent, match=next(iter(fault))):
        from_json(orjson.dumps(value))
