from ledger.errors import LedgerRefusal
from ledger.purchases import errors
from ledger.purchases.states import PurchaseAction, PurchaseState


def test_every_refusal_has_a_code():
    conflict = errors.PurchaseConflict(PurchaseAction.REFUND, PurchaseState.REFUND_DUE)
    codes = {
        errors.InvalidPurchaseField("reference", "x"): "invalid_request",
        errors.UnknownPurchase(): "not_found",
        errors.PaymentKnown(): "duplicate_reference",
        conflict: "invalid_transition",
    }
    for refusal, code in codes.items():
        assert isinstance(refusal, LedgerRefusal)
        assert refusal.code == code
    assert "refund a purchase that is refund due" in str(conflict)
    assert not issubclass(errors.CreditRefused, LedgerRefusal)
