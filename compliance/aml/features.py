"""What the rules look at: a gift as compliance sees it, and the figures drawn from many."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class GiftActivity:
    """One gift that is in the ledger; `amount_minor` is what the payer gave, the fee included."""

    event_id: UUID
    transaction_id: UUID
    payer_id: UUID
    payee_id: UUID
    amount_minor: int
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Totals:
    """Count and sum of the gifts in one window."""

    gifts: int = 0
    amount_minor: int = 0


@dataclass(frozen=True, slots=True)
class Circle:
    """Accounts that gift each other in a ring: each to the next, the last to the first."""

    accounts: tuple[UUID, ...]
    least_minor: int
    """What the smallest hop carried in the window."""
    greatest_minor: int
    """What the greatest hop carried in the window."""

    @property
    def return_percent(self) -> int:
        """The smallest hop as a share of the greatest: how much can have come back, 0 to 100."""
        return 100 * self.least_minor // self.greatest_minor


@dataclass(frozen=True, slots=True)
class Features:
    """What is known about one payer at the time of one gift; the argument of every rule."""

    recent: Totals
    """All gifts of the payer in the velocity window."""

    near_threshold: Totals
    """Payments of the payer just below the reporting threshold, in the structuring window."""

    circle: Circle | None = None
    """The circle with the greatest return that the gift is part of, if any."""
