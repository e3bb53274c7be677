"""A purchase: what was paid, what is to be credited, and what each action makes of it."""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from ledger.money import is_amount
from ledger.postings import MAX_REFERENCE_CHARS, is_reference
from ledger.purchases.errors import InvalidPurchaseField, PurchaseConflict
from ledger.purchases.states import TRANSITIONS, PurchaseAction, PurchaseState

MAX_MINOR = 10**15
CURRENCY = re.compile(r"[A-Z]{3,8}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PaymentRecord:
    """A payment for coins, as somebody records it; all but the ids may be anything."""

    request_id: UUID
    recorded_by: UUID
    user_id: UUID
    amount_minor: int
    paid_minor: int
    paid_currency: str
    reference: str

    def request_hash(self) -> bytes:
        """SHA-256 over what must be equal in an equal request."""
        return hashlib.sha256(
            f"purchase\n{self.user_id}\n{self.amount_minor}\n{self.paid_minor}"
            f"\n{self.paid_currency}\n{self.reference}".encode()
        ).digest()


@dataclass(frozen=True, slots=True)
class Purchase:
    """One purchase. `version` is that of its stream in the event store."""

    purchase_id: UUID
    user_id: UUID
    recorded_by: UUID
    request_id: UUID
    amount_minor: int
    currency: str
    paid_minor: int
    paid_currency: str
    reference: str
    state: PurchaseState
    version: int
    recorded_at: datetime
    updated_at: datetime
    transaction_id: UUID | None = None
    reason: str | None = None

    @property
    def stream_id(self) -> str:
        """Its stream in the event store."""
        return f"purchase:{self.purchase_id}"

    def request_key(self) -> UUID:
        """The idempotency key under which the ledger is asked for the credit."""
        return uuid5(self.purchase_id, "credit")


def purchase_of(stream_id: str) -> UUID:
    """The purchase that a stream is of."""
    return UUID(stream_id.removeprefix("purchase:"))


def check_record(record: PaymentRecord) -> None:
    """Raises InvalidPurchaseField for the first thing that can't be."""
    for field, value in (
        ("amount_minor", record.amount_minor),
        ("paid_minor", record.paid_minor),
    ):
        if not is_amount(value, at_most=MAX_MINOR):
            raise InvalidPurchaseField(field, f"Give a whole number from 1 to {MAX_MINOR:,}.")
    if not isinstance(record.paid_currency, str) or not CURRENCY.fullmatch(record.paid_currency):
        raise InvalidPurchaseField("paid_currency", "Give a currency code, like EUR.")
    if not is_reference(record.reference):
        raise InvalidPurchaseField(
            "reference", f"Give the payment's reference: 1 to {MAX_REFERENCE_CHARS} characters."
        )


def advanced(purchase: Purchase, action: PurchaseAction, now: datetime, **changes: Any) -> Purchase:
    """The purchase after the action, with what else it changes. Raises PurchaseConflict."""
    try:
        state = TRANSITIONS[purchase.state][action]
    except KeyError:
        raise PurchaseConflict(action, purchase.state) from None
    return replace(purchase, state=state, version=purchase.version + 1, updated_at=now, **changes)
