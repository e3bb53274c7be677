"""A payout: what is asked for, what may be asked for, and what each action makes of it."""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from ledger.money import is_amount
from ledger.payouts.errors import InvalidPayoutField, PayoutConflict
from ledger.payouts.states import SHOWN, TRANSITIONS, PayoutAction, PayoutState

DESTINATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9 :/._@-]{3,63}", re.ASCII)
"""An account as the provider knows it: an IBAN, an e-mail address, a token. It begins with a letter
or a digit, so that no spreadsheet takes it for a formula."""

MAX_REASON_CHARS = 500


@dataclass(frozen=True, slots=True)
class PayoutRequest:
    """What a user asks for; `amount_minor` and `destination` are theirs and may be anything."""

    request_id: UUID
    user_id: UUID
    amount_minor: int
    destination: str

    def request_hash(self) -> bytes:
        """SHA-256 over what must be equal in an equal request."""
        text = f"payout\n{self.amount_minor}\n{self.destination}"
        return hashlib.sha256(text.encode(errors="backslashreplace")).digest()


@dataclass(frozen=True, slots=True)
class PayoutLimits:
    """What may be asked for at once."""

    min_minor: int
    max_minor: int


@dataclass(frozen=True, slots=True)
class Payout:
    """One payout. `version` is that of its stream in the event store."""

    payout_id: UUID
    user_id: UUID
    request_id: UUID
    amount_minor: int
    currency: str
    destination: str
    state: PayoutState
    version: int
    requested_at: datetime
    updated_at: datetime
    hold_id: UUID | None = None
    transaction_id: UUID | None = None
    """Of the capture: from then on the amount is out of the user's earnings."""
    provider: str | None = None
    batch_id: UUID | None = None
    reference: str | None = None
    reason: str | None = None
    """Of its last turn, for the user."""
    attention: str | None = None
    """Why an admin must look at it."""

    @property
    def stream_id(self) -> str:
        """Its stream in the event store."""
        return stream_of(self.payout_id)

    @property
    def destination_shown(self) -> str:
        """The destination for screens: its last four characters."""
        return f"…{self.destination.replace(' ', '')[-4:]}"

    @property
    def status(self) -> str:
        """What its user is shown of the state."""
        return SHOWN[self.state]

    @property
    def can_cancel(self) -> bool:
        """Whether its user can take it back now."""
        return PayoutAction.CANCEL in TRANSITIONS[self.state]

    def request_key(self, purpose: str) -> UUID:
        """The idempotency key under which the ledger is asked for one thing for this payout."""
        return uuid5(self.payout_id, purpose)


def stream_of(payout_id: UUID) -> str:
    """The payout's stream in the event store."""
    return f"payout:{payout_id}"


def payout_of(stream_id: str) -> UUID:
    """The payout that a stream is of."""
    return UUID(stream_id.removeprefix("payout:"))


def check_request(request: PayoutRequest, limits: PayoutLimits) -> None:
    """Raises InvalidPayoutField for the first thing that can't be."""
    amount = request.amount_minor
    if not is_amount(amount, at_most=limits.max_minor) or amount < limits.min_minor:
        raise InvalidPayoutField(
            "amount_minor",
            f"Ask for a whole number from {limits.min_minor:,} to {limits.max_minor:,}.",
        )
    destination = request.destination
    if not isinstance(destination, str) or DESTINATION.fullmatch(destination) is None:
        raise InvalidPayoutField(
            "destination",
            "Give the account to pay to in 4 to 64 letters, digits, spaces and : / . _ @ -",
        )


def check_reason(reason: str) -> str:
    """The reason, without what surrounds it. Raises InvalidPayoutField."""
    stripped = reason.strip()
    if not stripped or len(stripped) > MAX_REASON_CHARS or not stripped.isprintable():
        raise InvalidPayoutField(
            "reason", f"Give a reason: one line of 1 to {MAX_REASON_CHARS} characters."
        )
    return stripped


def may(payout: Payout, action: PayoutAction) -> bool:
    """Whether the payout is in a state in which this can be done."""
    return action in TRANSITIONS[payout.state]


def advanced(payout: Payout, action: PayoutAction, now: datetime, **changes: Any) -> Payout:
    """The payout after the action, with what else it changes. Raises PayoutConflict."""
    try:
        state = TRANSITIONS[payout.state][action]
    except KeyError:
        raise PayoutConflict(action, payout.state) from None
    return replace(payout, state=state, version=payout.version + 1, updated_at=now, **changes)


def noted(payout: Payout, now: datetime, attention: str | None = None) -> Payout:
    """The payout after an event that changes no state."""
    return replace(
        payout,
        version=payout.version + 1,
        updated_at=now,
        attention=attention or payout.attention,
    )
