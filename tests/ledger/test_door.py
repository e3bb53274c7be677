"""What every call passes: its time, its outcome, its refusal, and the bound on how many."""

import pytest

from config.ledger import LedgerSettings
from ledger.door import REFUSALS, Door, outcome_of
from ledger.errors import LedgerBusy, LedgerRefusal
from ledger.transfer import TransferResult

R = TransferResult
DETAILS = {"balance_minor": 1, "total_minor": 2, "state": "voided", "left_minor": 3}


@pytest.fixture
def door(recorder):
    return Door(LedgerSettings(max_in_flight=2), recorder)


def test_every_result_that_is_a_refusal_has_one():
    none = {R.ADMITTED, R.REPEATED, R.POSTED}
    assert set(R) - set(REFUSALS) == none | {R.INVALID_COUNT}  # which names the most itself
    for result, make in REFUSALS.items():
        refusal = make(DETAILS)
        assert isinstance(refusal, LedgerRefusal)
        assert refusal.code in {result.value, "invalid_request"}


def test_a_call_is_timed_with_what_became_of_it(door, recorder):
    with door.call("posting") as call:
        assert door.in_flight == 1
        assert call.settle(R.POSTED, {}) is False
    with door.call("posting") as call:
        assert call.settle(R.REPEATED, {}) is True
    with pytest.raises(LedgerRefusal), door.call("posting") as call:
        call.settle(R.UNBALANCED, {})
    with pytest.raises(KeyError), door.call("posting"):
        raise KeyError
    assert recorder.observed == [
        ("posting", "posted"),
        ("posting", "repeated"),
        ("posting", "invalid_request"),
        ("posting", "error"),
    ]
    assert door.in_flight == 0


def test_too_many_are_busy(door, recorder):
    with door.call("a"), door.call("b"):
        with pytest.raises(LedgerBusy), door.call("c"):
            pass
        assert door.in_flight == 2
    assert recorder.observed[0] == ("c", "unavailable")


def test_outcomes_of_errors():
    assert outcome_of(LedgerBusy()) == "unavailable"
    assert outcome_of(ValueError()) == "error"
