"""What may be recorded, and what actions make of it."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from ledger.purchases.errors import InvalidPurchaseField, PurchaseConflict
from ledger.purchases.purchase import Purchase, advanced, check_record, purchase_of
from ledger.purchases.states import PurchaseAction, PurchaseState
from tests.support.purchase_house import a_payment

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("amount_minor", v) for v in (0, -1, 10**16, 1.5, "5", True)),
        *(("paid_minor", v) for v in (0, -1, 10**16, None)),
        *(("paid_currency", v) for v in ("", "eur", "EU", "EUROEUROS", "EÜR", 5)),
        *(("reference", v) for v in ("", " x", "a\nb", "x" * 201, None)),
    ],
)
def test_what_may_not_be_recorded(field, value):
    check_record(a_payment())
    with pytest.raises(InvalidPurchaseField) as refusal:
        check_record(a_payment(**{field: value}))
    assert refusal.value.field == field


def test_the_hash_is_of_what_was_recorded():
    record = a_payment()
    assert replace(record, request_id=uuid4()).request_hash() == record.request_hash()
    for change in ({"amount_minor": 1}, {"user_id": uuid4()}, {"reference": "x"}):
        assert replace(record, **change).request_hash() != record.request_hash()


def test_an_action_moves_it_and_counts():
    ids = [uuid4() for _ in range(4)]
    purchase = Purchase(*ids, 5, "COIN", 4, "EUR", "PAY-1", PurchaseState.PAID, 1, NOW, NOW)
    moved = advanced(purchase, PurchaseAction.REFUSE, NOW, reason="Closed.")
    assert (moved.state, moved.version, moved.reason) == (PurchaseState.REFUND_DUE, 2, "Closed.")
    with pytest.raises(PurchaseConflict):
        advanced(moved, PurchaseAction.CREDIT, NOW)
    assert purchase_of(purchase.stream_id) == purchase.purchase_id
    assert purchase.request_key() == moved.request_key()
