"""Gifts: the catalogue, what is asked for, and what is answered."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

import orjson

from config.ledger import GiftSettings
from ledger.money import Split


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


@dataclass(slots=True)
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
        return _hash(self.stream_id, self.gift_id, self.count)


def _hash(stream_id: UUID, gift_id: str, count: int) -> bytes:
    text = f"gift\n{stream_id}\n{gift_id}\n{count}"
    return hashlib.sha256(text.encode(errors="backslashreplace")).digest()


_hash_of_admitted = lru_cache(20_000)(_hash)
"""Streams get the same few gifts again and again."""


@dataclass(slots=True)
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


class PreparedGift(NamedTuple):
    """An admitted gift, ready to be posted in a batch."""

    payer_id: UUID
    payee_id: UUID
    fee_minor: int
    total_minor: int
    request_id: UUID
    request_hash: bytes
    transaction_id: UUID
    description: str
    """One line of text."""
    event: str
    """JSON of its event, up to where the balances follow; one line, as all JSON of ours."""


@dataclass(slots=True)
class SettledGift:
    """What became of a prepared gift.

    `balance_minor`: of the payer after it, or what was available where that is too little.
    `answer`: JSON of the first answer where the gift was posted before.
    """

    result: str
    balance_minor: int
    posted_at: datetime | None
    answer: str | None


def prepare(
    request: GiftRequest,
    *,
    split: Split,
    currency: str,
    description: str,
    transaction_id: UUID,
    event_id: str,
) -> PreparedGift:
    """The gift with its event, JSON up to where the balances follow.

    Raises ValueError where the payer's name is no text that can be stored.
    """
    total_minor = split.fee_minor + split.earnings_minor
    event = {
        "event_id": event_id,
        "type": "gift.sent",
        "version": 1,
        "data": {
            "transaction_id": transaction_id,
            "request_id": request.request_id,
            "stream_id": request.stream_id,
            "payer_id": request.payer_id,
            "payer_name": request.payer_name,
            "payee_id": request.payee_id,
            "gift_id": request.gift_id,
            "count": request.count,
            "total_minor": total_minor,
            "fee_minor": split.fee_minor,
            "currency": currency,
            "payer_balance_minor": 0,
        },
    }
    try:
        text = orjson.dumps(event, default=str)  # str: subclasses of UUID, as drivers make
    except orjson.JSONEncodeError as error:
        raise ValueError(f"payer_name: {error}") from error
    return PreparedGift(
        request.payer_id,
        request.payee_id,
        split.fee_minor,
        total_minor,
        request.request_id,
        _hash_of_admitted(request.stream_id, request.gift_id, request.count),
        transaction_id,
        description,
        text[:-3].decode(),
    )
