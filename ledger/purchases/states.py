"""The life of a purchase: credited, or to be refunded by hand where it can't be credited."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class PurchaseState(StrEnum):
    """Where a purchase is; the values stand in `ledger.purchases.state`."""

    PAID = "paid"
    CREDITED = "credited"
    REFUND_DUE = "refund_due"
    REFUNDED = "refunded"


class PurchaseAction(StrEnum):
    """What happens to a purchase; the values are verbs for messages."""

    CREDIT = "credit"
    REFUSE = "refuse"
    """The books do not take the credit: the payment must go back."""
    REFUND = "refund"
    """The payment went back."""


_S, _A = PurchaseState, PurchaseAction

TRANSITIONS: Mapping[PurchaseState, Mapping[PurchaseAction, PurchaseState]] = MappingProxyType(
    {
        _S.PAID: {_A.CREDIT: _S.CREDITED, _A.REFUSE: _S.REFUND_DUE},
        _S.REFUND_DUE: {_A.REFUND: _S.REFUNDED},
        _S.CREDITED: {},
        _S.REFUNDED: {},
    }
)
