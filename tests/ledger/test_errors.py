"""Refusals: the protocol's codes, and messages that say what to do."""

import pytest

from ledger import errors

CODES = {
    errors.InvalidAmount(100): "invalid_request",
    errors.InvalidReason(100): "invalid_request",
    errors.InvalidPage("limit", "Ask for less."): "invalid_request",
    errors.UnknownGift(): "unknown_gift",
    errors.InvalidCount(100): "invalid_count",
    errors.OwnStream(): "own_stream",
    errors.IdempotencyMismatch(): "idempotency_mismatch",
    errors.InsufficientFunds(480, 500): "insufficient_funds",
    errors.LedgerBusy(): "unavailable",
    errors.InvalidPosting("Name 2 to 100 legs."): "invalid_request",
    errors.InvalidLabel("kind", "Use a word."): "invalid_request",
    errors.RequestExpired(): "request_expired",
    errors.UnknownAccount(): "unknown_account",
    errors.UnknownCurrency(): "unknown_currency",
    errors.AccountClosed(): "account_closed",
    errors.DuplicateReference(): "duplicate_reference",
    errors.AmountTooLarge(): "amount_too_large",
    errors.OwnMoney(): "forbidden",
    errors.UnknownHold(): "unknown_hold",
    errors.HoldClosed("expired"): "hold_closed",
    errors.UnknownTransaction(): "unknown_transaction",
    errors.NotReversible(): "not_reversible",
    errors.AlreadyReversed(5): "already_reversed",
    errors.AccountNotEmpty(): "account_not_empty",
}


@pytest.mark.parametrize(("refusal", "code"), CODES.items(), ids=lambda value: type(value).__name__)
def test_every_refusal_has_its_code_and_a_sentence(refusal, code):
    assert isinstance(refusal, errors.LedgerRefusal)
    assert refusal.code == code
    assert str(refusal).endswith(".")


def test_the_tree_in_the_docstring_is_the_tree():
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, Exception)]
    assert classes
    assert all(c.__name__ in errors.__doc__ for c in classes)


def test_insufficient_funds_names_both_amounts():
    refusal = errors.InsufficientFunds(480, 1500)
    assert str(refusal) == "Your balance is 480, this costs 1,500."
    assert (refusal.balance_minor, refusal.total_minor) == (480, 1500)


def test_an_invalid_request_names_the_field():
    assert errors.InvalidAmount(1).field == "amount_minor"
    assert errors.InvalidReason(1).field == "reason"
    assert errors.InvalidPage("cursor", "Use another.").field == "cursor"
    assert errors.InvalidLabel("kind", "Use a word.").field == "kind"
