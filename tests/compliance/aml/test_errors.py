"""Refusals carry the protocol's code and say what to do next."""

import pytest

from compliance.aml.errors import AlertRefusal, InvalidTransition, UnknownAlert
from compliance.errors import ComplianceRefusal
from tests.support.gifts import account


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (UnknownAlert(account(1)), "not_found"),
        (InvalidTransition("resolve", "resolved"), "invalid_transition"),
    ],
)
def test_codes(refusal: AlertRefusal, code: str) -> None:
    assert isinstance(refusal, ComplianceRefusal)
    assert refusal.code == code
    assert refusal.message.endswith(".")
    assert str(refusal) == refusal.message
