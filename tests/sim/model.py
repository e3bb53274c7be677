"""What each operation moves when it happens: the plain model that the ledger is held against."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID, uuid5

from tests.sim.history import Key

Legs = dict[tuple[UUID | None, str], int]
"""Amount by owner (None: the house) and account code; credits are positive."""

FEE_BASIS_POINTS = 3000


def gift(arguments: Mapping[str, Any]) -> Legs:
    """The payer's wallet pays the payee's earnings, and the house its fee, rounded down."""
    total = arguments["price_minor"] * arguments["count"]
    fee = total * FEE_BASIS_POINTS // 10_000
    legs = {
        (arguments["payer_id"], "wallet"): -total,
        (arguments["payee_id"], "earnings"): total - fee,
        (None, "fees"): fee,
    }
    return {leg: amount for leg, amount in legs.items() if amount}


def grant(arguments: Mapping[str, Any]) -> Legs:
    """Issuance pays the user's wallet."""
    amount = arguments["amount_minor"]
    return {(arguments["user_id"], "wallet"): amount, (None, "issuance"): -amount}


LEGS: Mapping[str, Callable[[Mapping[str, Any]], Legs]] = {"gift": gift, "grant": grant}
"""Operations whose legs all follow from their arguments alone."""

GAINER: Mapping[str, str] = {"capture": "payouts", "refund": "wallet"}
"""Operations that move the amount of their arguments, where they name one, to such an account."""

PAYOUTS = uuid5(UUID(int=0), "ledger.payouts")
"""Whose requests the steps of payouts are, for the ledger."""

BOOKED: Mapping[str, Callable[[UUID, int], Legs]] = {
    "capture": lambda user, amount: {
        (user, "earnings_available"): -amount,
        (None, "payouts"): amount,
    },
    "clear": lambda _, amount: {(None, "payouts"): -amount, (None, "payment_clearing"): amount},
    "give_back": lambda user, amount: {
        (None, "payouts"): -amount,
        (user, "earnings_available"): amount,
    },
    "take_back": lambda user, amount: {
        (None, "payment_clearing"): -amount,
        (user, "earnings_available"): amount,
    },
}
"""What the postings of a user's payout move, by what they are for."""

PURPOSES = (*BOOKED, "hold", "void")
"""All that the steps of a payout ask the ledger for."""


def payout_key(payout_id: UUID, purpose: str) -> Key:
    """The request under which the ledger is asked for one thing for a payout."""
    return Key(PAYOUTS, uuid5(payout_id, purpose))


UNRECORDED = frozenset(
    {"mature", "payout_cancel", "payout_approve", "payout_reject", "payout_flag", "payout_notice"}
)
"""Operations that leave no request behind."""

UNASKED = frozenset({"maturing"})
"""Transactions that the house makes by itself, when it is time."""


def gained(legs: Legs, code: str) -> int:
    """What accounts of this code have more after the legs."""
    return sum(amount for (_, each), amount in legs.items() if each == code)
