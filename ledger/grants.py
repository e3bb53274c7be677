"""Grants: coins that an admin issues to a user."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

MAX_REASON_CHARS = 200


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
