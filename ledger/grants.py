"""Grants: coins that an admin issues to a user."""

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ledger.accounts import AccountCode
from ledger.postings import Leg, Posting

MAX_REASON_CHARS = 200
DESCRIPTION = "Coins granted"


@dataclass(frozen=True, slots=True)
class GrantRequest:
    """Coins for a user; `granted_by` is the caller, and the reason is for the house alone."""

    request_id: UUID
    user_id: UUID
    amount_minor: int
    reason: str
    granted_by: UUID

    def request_hash(self) -> bytes:
        """SHA-256 over what must be equal in an equal request."""
        return hashlib.sha256(
            f"grant\n{self.user_id}\n{self.amount_minor}\n{self.reason}".encode()
        ).digest()


@dataclass(frozen=True, slots=True)
class GrantReceipt:
    """The answer to a posted grant, with the user's balance after it."""

    transaction_id: UUID
    balance_minor: int
    currency: str
    repeated: bool


def grant_posting(request: GrantRequest, currency: str) -> Posting:
    """From issuance to the user's wallet."""
    amount_minor = request.amount_minor
    return Posting(
        kind="grant",
        description=DESCRIPTION,
        legs=(
            Leg(request.user_id, AccountCode.WALLET, amount_minor, currency),
            Leg(None, AccountCode.ISSUANCE, -amount_minor, currency),
        ),
        memo=request.reason,
    )


def grant_event(request: GrantRequest, currency: str) -> dict[str, Any]:
    """`coins.granted`, but for what the posting itself says."""
    return {
        "type": "coins.granted",
        "data": {
            "request_id": str(request.request_id),
            "user_id": str(request.user_id),
            "granted_by": str(request.granted_by),
            "amount_minor": request.amount_minor,
            "currency": currency,
            "reason": request.reason,
        },
    }
