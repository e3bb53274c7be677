"""What is matched: movements of money, and how far apart two of the same money may be."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Item:
    """One movement: `key` is unique in its list, and money that went out is negative."""

    key: str
    reference: str | None
    amount_minor: int
    currency: str
    on: date


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far apart two items of the same money may be; `group` is the most parts of one sum."""

    amount_minor: int = 0
    days: int = 3
    group: int = 8
