"""Refusals: the protocol's codes, and messages that say what to do."""

from uuid import UUID

import pytest

from ledger.errors import LedgerRefusal
from ledger.reconcile import errors

CODES = {
    errors.InvalidNote(1000): "invalid_request",
    errors.InvalidFile(3, "Line 3: amount: 'x' is no decimal number"): "invalid_request",
    errors.UnknownReconciliation(): "not_found",
    errors.UnknownDifference(): "not_found",
    errors.UnknownProvider("acme"): "not_found",
    errors.FileKnown(UUID(int=1)): "duplicate_file",
    errors.ReconciliationKnown(): "idempotency_mismatch",
    errors.WorkConflict("resolve", "cleared"): "invalid_transition",
}


@pytest.mark.parametrize(("refusal", "code"), CODES.items(), ids=lambda value: type(value).__name__)
def test_every_refusal_has_its_code(refusal, code):
    assert isinstance(refusal, LedgerRefusal)
    assert refusal.code == code
    assert type(refusal).__name__ in errors.__doc__


def test_a_line_and_a_field_are_named():
    assert errors.InvalidFile(3, "no").field == "line 3"
    assert errors.InvalidNote(5).field == "note"
    assert str(UUID(int=1)) in str(errors.FileKnown(UUID(int=1)))
    assert "'acme'" in str(errors.UnknownProvider("acme"))
