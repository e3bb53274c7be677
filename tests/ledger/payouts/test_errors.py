"""Refusals carry a code and what the person needs."""

import pytest

from ledger.errors import LedgerRefusal
from ledger.payouts import errors
from ledger.payouts.states import PayoutAction, PayoutState

CODES = {
    errors.InvalidPayoutField("amount_minor", "x"): "invalid_request",
    errors.UnknownPayout(): "not_found",
    errors.UnknownBatch(): "not_found",
    errors.PayoutUnderWay(): "payout_open",
    errors.AvailableTooSmall(5, 10): "insufficient_funds",
    errors.PayoutConflict(PayoutAction.CANCEL, PayoutState.SENT): "invalid_transition",
    errors.BatchNotReady(3): "batch_not_ready",
    errors.FileRefused([errors.LineFault("line 1", "x")]): "invalid_request",
    errors.FileRepeated(): "duplicate_file",
    errors.ContradictoryResult("x"): "contradictory_result",
    errors.BadSignature(): "invalid_signature",
    errors.BadNotice("x"): "invalid_request",
}


@pytest.mark.parametrize("refusal", CODES, ids=lambda each: type(each).__name__)
def test_every_refusal_has_a_code_and_stands_in_the_tree(refusal):
    assert isinstance(refusal, LedgerRefusal)
    assert refusal.code == CODES[refusal]
    assert type(refusal).__name__ in (errors.__doc__ or "")
    assert str(refusal)


def test_what_goes_wrong_outside_is_no_refusal():
    for each in (errors.Unfunded, errors.ProviderUnavailable, errors.ProviderContradicts):
        assert not issubclass(each, LedgerRefusal)


def test_the_figures_are_there():
    assert errors.AvailableTooSmall(5, 10).available_minor == 5
    assert "cancel a payout that is sent" in str(
        errors.PayoutConflict(PayoutAction.CANCEL, PayoutState.SENT)
    )
    assert errors.BatchNotReady(3).retry_after_s > 0
