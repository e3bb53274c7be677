"""What a payout provider must do.

An order may arrive more than once, because an answer was lost: the provider pays once for one
`payout_id` and answers every time as at first.
"""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from ledger.payouts.payout import Payout
from ledger.payouts.results import PayoutResult

MAX_REFERENCE_CHARS = 200


@dataclass(frozen=True, slots=True)
class PayoutOrder:
    """What is to be paid to whom; `payout_id` is the idempotency key."""

    payout_id: UUID
    amount_minor: int
    currency: str
    destination: str


def order_of(payout: Payout) -> PayoutOrder:
    """The order that pays a payout."""
    return PayoutOrder(payout.payout_id, payout.amount_minor, payout.currency, payout.destination)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has taken the order, under a reference of its own where it gives one at once."""

    reference: str | None


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider has not taken the order and never will."""

    reason: str


class PayoutProvider(Protocol):
    """Pays people."""

    @property
    def name(self) -> str:
        """What payouts keep of who paid them; never change it."""

    @property
    def automatic(self) -> bool:
        """Whether payouts go to it one by one, at once; otherwise an admin sends batches."""

    async def submit(self, order: PayoutOrder) -> Accepted | Refused:
        """Hand an order over.

        Raises ProviderUnavailable where it is not known whether it was taken, and
        ProviderContradicts where the answer is about another order.
        """

    async def look_up(self, order: PayoutOrder) -> PayoutResult | None:
        """What became of an order that was taken; None while that is not decided.

        Raises ProviderUnavailable.
        """


class ManualProvider:
    """An admin pays, with files: an order is accepted into the batch whose file names it."""

    name = "manual"
    automatic = False

    async def submit(self, order: PayoutOrder) -> Accepted | Refused:
        """Accepted, always: what the bank makes of it comes with the file of results."""
        return Accepted(None)

    async def look_up(self, order: PayoutOrder) -> PayoutResult | None:
        """Nothing to be asked: the file of results tells."""
        return None
