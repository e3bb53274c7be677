"""Amounts of money: integers of minor units, never floats; and how a gift is shared out."""

from dataclasses import dataclass
from typing import Any, TypeGuard

BASIS_POINTS = 10_000

MAX_MINOR = 2**63 - 1
"""The largest amount, and the largest balance."""


def is_amount(value: Any, *, at_most: int) -> TypeGuard[int]:
    """Whether `value` is an integer from 1 to `at_most`. True and 1.0 are no integers here."""
    return type(value) is int and 1 <= value <= at_most


@dataclass(frozen=True, slots=True)
class Split:
    """What becomes of `fee_minor + earnings_minor`."""

    fee_minor: int
    earnings_minor: int


def split_fee(total_minor: int, fee_basis_points: int) -> Split:
    """The house's fee rounded down, the rest to the streamer: every odd unit is the streamer's."""
    fee_minor = total_minor * fee_basis_points // BASIS_POINTS
    return Split(fee_minor, total_minor - fee_minor)
