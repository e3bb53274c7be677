"""The life of a payout.

What it waits for in each state: `requested` the compliance check, `review` an admin, `approved` the
hold, `held` to be sent, `sending` the capture of its hold, `captured` the provider's yes, `sent`
the provider's result. From `sending` on nobody can take it back: the money may be on its way.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class PayoutState(StrEnum):
    """Where a payout is; the values stand in `ledger.payouts.state`."""

    REQUESTED = "requested"
    REVIEW = "review"
    APPROVED = "approved"
    HELD = "held"
    SENDING = "sending"
    CAPTURED = "captured"
    SENT = "sent"
    SETTLED = "settled"
    FAILED = "failed"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


class PayoutAction(StrEnum):
    """What happens to a payout; the values are verbs for messages."""

    FLAG = "flag"
    """The compliance check, or an admin, wants a person to look at it."""
    APPROVE = "approve"
    HOLD = "hold"
    FALL_SHORT = "fall_short"
    """The earnings, or the hold on them, are not there any more."""
    SEND = "send"
    CAPTURE = "capture"
    ACCEPT = "accept"
    """The provider has taken it."""
    SETTLE = "settle"
    FAIL = "fail"
    """The provider will not pay it, or could not."""
    RETURN = "return"
    """The money came back."""
    CANCEL = "cancel"
    REJECT = "reject"


_S, _A = PayoutState, PayoutAction

TRANSITIONS: Mapping[PayoutState, Mapping[PayoutAction, PayoutState]] = MappingProxyType(
    {
        _S.REQUESTED: {_A.APPROVE: _S.APPROVED, _A.FLAG: _S.REVIEW, _A.CANCEL: _S.CANCELLED},
        _S.REVIEW: {
            _A.APPROVE: _S.APPROVED,
            _A.REJECT: _S.REJECTED,
            _A.CANCEL: _S.CANCELLED,
        },
        _S.APPROVED: {
            _A.HOLD: _S.HELD,
            _A.FALL_SHORT: _S.FAILED,
            _A.CANCEL: _S.CANCELLED,
        },
        _S.HELD: {
            _A.FLAG: _S.REVIEW,
            _A.SEND: _S.SENDING,
            _A.REJECT: _S.REJECTED,
            _A.CANCEL: _S.CANCELLED,
        },
        _S.SENDING: {_A.CAPTURE: _S.CAPTURED, _A.FALL_SHORT: _S.FAILED},
        # A result may be here before the answer to the order that it is the result of.
        _S.CAPTURED: {
            _A.ACCEPT: _S.SENT,
            _A.SETTLE: _S.SETTLED,
            _A.FAIL: _S.FAILED,
            _A.RETURN: _S.FAILED,
        },
        _S.SENT: {_A.SETTLE: _S.SETTLED, _A.FAIL: _S.FAILED, _A.RETURN: _S.FAILED},
        _S.SETTLED: {_A.RETURN: _S.RETURNED},
        _S.FAILED: {},
        _S.RETURNED: {},
        _S.CANCELLED: {},
        _S.REJECTED: {},
    }
)

SHOWN: Mapping[PayoutState, str] = MappingProxyType(
    {
        _S.REQUESTED: "pending",
        _S.REVIEW: "pending",
        _S.APPROVED: "pending",
        _S.HELD: "pending",
        _S.SENDING: "sending",
        _S.CAPTURED: "sending",
        _S.SENT: "sending",
        _S.SETTLED: "paid",
        _S.FAILED: "failed",
        _S.RETURNED: "returned",
        _S.CANCELLED: "cancelled",
        _S.REJECTED: "rejected",
    }
)
"""What its user is shown. A review is none of it: an alert is not to be told of (31 U.S.C.
§5318(g)(2); Directive (EU) 2015/849, Article 39)."""

OPEN = frozenset({_S.REQUESTED, _S.REVIEW, _S.APPROVED, _S.HELD, _S.SENDING, _S.CAPTURED, _S.SENT})
"""States of a payout that is under way: a user has at most one."""
