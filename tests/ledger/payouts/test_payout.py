"""What may be asked for, and what actions make of a payout."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from ledger.payouts.errors import InvalidPayoutField, PayoutConflict
from ledger.payouts.payout import (
    Payout,
    PayoutLimits,
    PayoutRequest,
    advanced,
    check_reason,
    check_request,
    may,
    noted,
    payout_of,
    stream_of,
)
from ledger.payouts.states import PayoutAction, PayoutState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIMITS = PayoutLimits(1_000, 50_000)
REQUEST = PayoutRequest(uuid4(), uuid4(), 5_000, "DE02 1203 0000 0000 2020 51")
PAYOUT = Payout(
    uuid4(),
    uuid4(),
    uuid4(),
    5_000,
    "COIN",
    "DE02 1203 0000 0000 2020 51",
    PayoutState.REQUESTED,
    1,
    NOW,
    NOW,
)


@pytest.mark.parametrize(
    "change",
    [
        {"amount_minor": 1_000},
        {"amount_minor": 50_000},
        {"destination": "ann@example.org"},
        {"destination": "acct_1A2b"},
    ],
)
def test_sound_requests(change):
    check_request(replace(REQUEST, **change), LIMITS)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("amount_minor", v) for v in (999, 50_001, 0, -1, 10**30, 1.5, "5000", True, None)),
        *(
            ("destination", v)
            for v in ("", "abc", "=1+1", "+49 1", "-5555", "a" * 65, "a\nbcd", "ä" * 9, None, 7)
        ),
    ],
)
def test_what_may_not_be_asked_for(field, value):
    with pytest.raises(InvalidPayoutField) as refusal:
        check_request(replace(REQUEST, **{field: value}), LIMITS)
    assert refusal.value.field == field


def test_the_hash_is_of_what_was_asked_for():
    assert replace(REQUEST, request_id=uuid4()).request_hash() == REQUEST.request_hash()
    for change in ({"amount_minor": 5_001}, {"destination": "other"}):
        assert replace(REQUEST, **change).request_hash() != REQUEST.request_hash()


def test_a_reason_is_one_line():
    assert check_reason("  Known to us. ") == "Known to us."
    for reason in ("", "   ", "a\nb", "x" * 501, "\x00"):
        with pytest.raises(InvalidPayoutField):
            check_reason(reason)


def test_an_action_moves_it_and_counts():
    later = datetime(2026, 1, 2, tzinfo=UTC)
    moved = advanced(PAYOUT, PayoutAction.FLAG, later, reason="Why.")
    assert moved == replace(
        PAYOUT, state=PayoutState.REVIEW, version=2, updated_at=later, reason="Why."
    )
    assert may(moved, PayoutAction.REJECT)
    assert not may(moved, PayoutAction.SETTLE)
    with pytest.raises(PayoutConflict, match="settle a payout that is review"):
        advanced(moved, PayoutAction.SETTLE, later)


def test_a_note_moves_nothing_but_its_version():
    note = noted(PAYOUT, NOW, "look")
    assert (note.state, note.version, note.attention) == (PayoutState.REQUESTED, 2, "look")
    assert noted(note, NOW).attention == "look"


def test_its_stream_its_keys_and_what_is_shown():
    assert payout_of(stream_of(PAYOUT.payout_id)) == PAYOUT.payout_id
    assert PAYOUT.stream_id == stream_of(PAYOUT.payout_id)
    assert PAYOUT.request_key("hold") == PAYOUT.request_key("hold") != PAYOUT.request_key("clear")
    assert PAYOUT.destination_shown == "…2051"
    assert (PAYOUT.status, PAYOUT.can_cancel) == ("pending", True)
    sent = replace(PAYOUT, state=PayoutState.SENT)
    assert (sent.status, sent.can_cancel) == ("sending", False)
