"""Postings between named accounts: what sagas, purchases, payouts and corrections are made of."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from ledger.accounts import AccountCode

MAX_LEGS = 100
"""Most legs of one posting, and most postings that are linked."""
MAX_REFERENCE_CHARS = 200
KIND = re.compile(r"[a-z_]{1,32}")
NUL_IN_JSON = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


@dataclass(frozen=True, slots=True)
class Leg:
    """What is added to a logical account; credits are positive, debits negative.

    `owner_id` is None for the house's accounts.
    """

    owner_id: UUID | None
    code: AccountCode
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Posting:
    """One transaction: the legs of each currency sum to zero.

    `memo` is for the house, `metadata` JSON of the caller. `reference` is what the world outside
    calls it, unique for good. `effective_at`: when it counts, where that is not when it is booked.
    """

    kind: str
    description: str
    legs: tuple[Leg, ...]
    memo: str | None = None
    metadata: Mapping[str, Any] | None = None
    reference: str | None = None
    effective_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PostedLeg:
    """A leg, and the balance of its account after it; None for the house's accounts."""

    owner_id: UUID | None
    code: AccountCode
    currency: str
    amount_minor: int
    balance_minor: int | None


@dataclass(frozen=True, slots=True)
class PostedTransaction:
    """One transaction of a receipt."""

    transaction_id: UUID
    legs: tuple[PostedLeg, ...]


@dataclass(frozen=True, slots=True)
class PostingReceipt:
    """The answer to linked postings; `repeated`: an equal request had been carried out before."""

    posted_at: datetime
    transactions: tuple[PostedTransaction, ...]
    repeated: bool

    @property
    def transaction_id(self) -> UUID:
        """Of the first transaction, which is the only one where nothing was linked."""
        return self.transactions[0].transaction_id


def is_kind(value: Any) -> bool:
    """Whether it is a word that may stand as the kind of a transaction."""
    return isinstance(value, str) and KIND.fullmatch(value) is not None


def is_reference(value: Any) -> bool:
    """Whether it is what the world outside may call a transaction: printable, nothing around it."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= MAX_REFERENCE_CHARS
        and value.isprintable()
        and value == value.strip()
    )


def is_storable(value: Any) -> bool:
    """Whether PostgreSQL keeps it as JSON: no integer beyond 64 bits, no NUL, no lone surrogate."""
    try:
        text = orjson.dumps(value)
    except orjson.JSONEncodeError:
        return False
    return NUL_IN_JSON.search(text) is None


def request_hash(operation: str, body: Any) -> bytes:
    """SHA-256 over what must be equal in an equal request: JSON of `body` with sorted keys."""
    text = orjson.dumps(body, option=orjson.OPT_SORT_KEYS, default=_plain)
    return hashlib.sha256(operation.encode() + b"\n" + text).digest()


def to_document(posting: Posting, event: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The posting as `ledger.post` takes it; `event` has the type and the data of its event."""
    return {
        "kind": posting.kind,
        "description": posting.description,
        "memo": posting.memo,
        "metadata": posting.metadata,
        "reference": posting.reference,
        "effective_at": posting.effective_at and posting.effective_at.isoformat(),
        "legs": [
            {
                "owner_id": leg.owner_id and str(leg.owner_id),
                "code": leg.code,
                "currency": leg.currency,
                "amount_minor": leg.amount_minor,
            }
            for leg in posting.legs
        ],
        "event": event
        or {"type": "posting.made", "data": {"kind": posting.kind, "reverses": None}},
    }


def receipt(answer: Mapping[str, Any], *, repeated: bool) -> PostingReceipt:
    """The receipt that an answer of `ledger.post` stands for."""
    return PostingReceipt(
        posted_at=datetime.fromisoformat(answer["posted_at"]),
        transactions=tuple(
            PostedTransaction(UUID(each["transaction_id"]), _legs(each["legs"]))
            for each in answer["postings"]
        ),
        repeated=repeated,
    )


def _legs(values: Sequence[Mapping[str, Any]]) -> tuple[PostedLeg, ...]:
    return tuple(
        PostedLeg(
            owner_id=UUID(value["owner_id"]) if value["owner_id"] else None,
            code=AccountCode(value["code"]),
            currency=value["currency"],
            amount_minor=value["amount_minor"],
            balance_minor=value["balance_minor"],
        )
        for value in values
    )


def _plain(value: Any) -> str:
    """UUIDs and the like as drivers make them, and whatever else a body holds."""
    return str(value)
