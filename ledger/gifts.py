"""Gifts: the catalogue, what is asked for, and what is answered."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from config.ledger import GiftSettings


@dataclass(frozen=True, slots=True)
class Gift:
    """One gift on sale."""

    gift_id: str
    name: str
    emoji: str
    price_minor: int


def catalogue(gifts: Iterable[GiftSettings]) -> Mapping[str, Gift]:
    """The gifts by id, in the order of the settings."""
    return MappingProxyType({gift.gift_id: Gift(**gift.model_dump()) for gift in gifts})


@dataclass(frozen=True, slots=True)
class GiftRequest:
    """A gift that a payer wants to send to the owner of a stream.

    `gift_id` and `count` are the client's and may be anything; the ids were checked by the caller.
    """

    request_id: UUID
    payer_id: UUID
    payer_name: str
    payee_id: UUID
    stream_id: UUID
    gift_id: str
    count: int

    def request_hash(self) -> bytes:
        """SHA-256 over what the client sent, so over what must be equal in an equal request.

        Names, prices and fees are the house's: when they change, a repeated request is still equal.
        """
        return hashlib.sha256(
            f"gift\n{self.stream_id}\n{self.gift_id}\n{self.count}".encode()
        ).digest()


@dataclass(frozen=True, slots=True)
class GiftReceipt:
    """The answer to a posted gift; `repeated`: it had been posted by an equal request before."""

    request_id: UUID
    transaction_id: UUID
    gift_id: str
    count: int
    total_minor: int
    currency: str
    balance_minor: int
    posted_at: datetime
    repeated: bool
