"""What happens to a purchase, as it is kept in the event store."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, slots=True)
class PurchasePaid:
    """A payment for coins was recorded."""

    TYPE: ClassVar[str] = "purchase.paid"
    VERSION: ClassVar[int] = 1
    user_id: UUID
    amount_minor: int
    currency: str
    paid_minor: int
    paid_currency: str
    reference: str
    recorded_by: UUID


@dataclass(frozen=True, slots=True)
class PurchaseCredited:
    """The coins are on the wallet."""

    TYPE: ClassVar[str] = "purchase.credited"
    VERSION: ClassVar[int] = 1
    transaction_id: UUID


@dataclass(frozen=True, slots=True)
class PurchaseRefused:
    """The coins can't be credited: the payment must go back."""

    TYPE: ClassVar[str] = "purchase.refused"
    VERSION: ClassVar[int] = 1
    reason: str


@dataclass(frozen=True, slots=True)
class PurchaseRefunded:
    """The payment went back."""

    TYPE: ClassVar[str] = "purchase.refunded"
    VERSION: ClassVar[int] = 1
    reason: str
    by: UUID


PURCHASE_EVENTS = (PurchasePaid, PurchaseCredited, PurchaseRefused, PurchaseRefunded)
