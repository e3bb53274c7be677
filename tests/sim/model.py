"""What each operation moves when it happens: the plain model that the ledger is held against."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

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

UNASKED = frozenset({"maturing"})
"""Transactions that the house makes by itself, when it is time."""


def gained(legs: Legs, code: str) -> int:
    """What accounts of this code have more after the legs."""
    return sum(amount for (_, each), amount in legs.items() if each == code)
