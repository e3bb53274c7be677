"""The events that the ledger publishes: the one part of it that other domains may import.

Every event says what was committed, with the balances after it, so that readers need not ask back.
Delivery is at least once and in log order; readers drop repeats by `event_id`. Fields are only ever
added; what would change one is a new `version`.

MalformedEvent
    The bytes are no event that this version knows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID

import orjson


class MalformedEvent(ValueError):
    """The bytes are no event, or one of a type or version that is not known here."""


@dataclass(frozen=True, slots=True)
class GiftSent:
    """`gift.sent`: a gift was posted; the payee's earnings got the total less the fee."""

    transaction_id: UUID
    request_id: UUID
    stream_id: UUID
    payer_id: UUID
    payer_name: str
    payee_id: UUID
    gift_id: str
    count: int
    total_minor: int
    fee_minor: int
    currency: str
    payer_balance_minor: int
    payee_balance_minor: int


@dataclass(frozen=True, slots=True)
class CoinsGranted:
    """`coins.granted`: an admin issued coins to a user's wallet."""

    transaction_id: UUID
    request_id: UUID
    user_id: UUID
    granted_by: UUID
    amount_minor: int
    currency: str
    balance_minor: int
    reason: str


@dataclass(frozen=True, slots=True)
class EventLeg:
    """One leg of a posting; `balance_minor` after it, None for the house's accounts."""

    owner_id: UUID | None
    code: str
    currency: str
    amount_minor: int
    balance_minor: int | None


@dataclass(frozen=True, slots=True)
class PostingMade:
    """`posting.made`: anything else that was posted: purchases, refunds, payouts, corrections.

    `reverses`: the transaction that this one takes back, in part or whole.
    """

    transaction_id: UUID
    kind: str
    reverses: UUID | None
    legs: tuple[EventLeg, ...]


@dataclass(frozen=True, slots=True)
class HoldChanged:
    """`hold.changed`: a hold was placed, captured in part or whole, voided, or has expired.

    Events from before these were added do not have the last three fields.
    """

    hold_id: UUID
    owner_id: UUID | None
    code: str
    currency: str
    state: str
    amount_minor: int
    captured_minor: int
    balance_minor: int
    held_minor: int
    reason: str | None = None
    expires_at: datetime | None = None
    metadata_sha256: str | None = None
    """Hexadecimal digits, over PostgreSQL's text form of the hold's metadata, if it has some."""


@dataclass(frozen=True, slots=True)
class CurrencyAdded:
    """`currency.added`: there are accounts in it from now on; `scale` digits behind the point."""

    currency: str
    scale: int


@dataclass(frozen=True, slots=True)
class AccountDescribed:
    """`account.described`: the metadata of an account was set; `metadata_sha256` as of holds."""

    account_id: UUID
    owner_id: UUID | None
    code: str
    currency: str
    metadata_sha256: str


EventData = GiftSent | CoinsGranted | PostingMade | HoldChanged | CurrencyAdded | AccountDescribed

EVENT_TYPES: Mapping[str, type[EventData]] = MappingProxyType(
    {
        "gift.sent": GiftSent,
        "coins.granted": CoinsGranted,
        "posting.made": PostingMade,
        "hold.changed": HoldChanged,
        "currency.added": CurrencyAdded,
        "account.described": AccountDescribed,
    }
)
VERSION = 1


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """One event; `sequence` is that of the batch that it was committed with.

    It grows along the log, not always by one, and is the same for all events of a batch.
    """

    event_id: UUID
    sequence: int
    type: str
    version: int
    occurred_at: datetime
    data: EventData


def to_json(event: LedgerEvent) -> bytes:
    """One event as PROTOCOL.md shows it."""
    return orjson.dumps(_to_dict(event), default=str)  # str: subclasses of UUID, as drivers make


def batch_to_json(events: Sequence[LedgerEvent]) -> bytes:
    """Events as a JSON array, in their order."""
    return orjson.dumps([_to_dict(event) for event in events], default=str)


def from_json(payload: bytes) -> LedgerEvent:
    """The event in a JSON object. Raises MalformedEvent."""
    return _event(_load(payload))


def batch_from_json(payload: bytes) -> list[LedgerEvent]:
    """The events in a JSON array. Raises MalformedEvent."""
    values = _load(payload)
    if not isinstance(values, list):
        raise MalformedEvent("a batch of events is a JSON array")
    return [_event(value) for value in values]


def read_data(kind: Any, version: Any, data: Any) -> EventData:
    """The data of an event of type `kind`, from a JSON object; unknown fields are passed over.

    Raises MalformedEvent.
    """
    data_type = EVENT_TYPES.get(kind) if isinstance(kind, str) else None
    if data_type is None or version != VERSION:
        raise MalformedEvent(f"no event type {kind!r} of version {version!r} is known")
    return _fields(data_type, _object(data))


def _event(value: Any) -> LedgerEvent:
    envelope = _object(value)
    return LedgerEvent(
        event_id=_field(envelope, "event_id", UUID),
        sequence=_field(envelope, "sequence", int),
        type=_field(envelope, "type", str),
        version=_field(envelope, "version", int),
        occurred_at=_field(envelope, "occurred_at", datetime),
        data=read_data(envelope["type"], envelope["version"], envelope.get("data")),
    )


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise MalformedEvent("an event, and its data, is a JSON object")
    return value


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("not an integer")
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value


def _time(value: Any) -> datetime:
    time = datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError("no offset from UTC")
    return time


def _legs(value: Any) -> tuple[EventLeg, ...]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return tuple(_fields(EventLeg, _object(each)) for each in value)


_READERS: Mapping[Any, Callable[[Any], Any]] = MappingProxyType(
    {
        int: _integer,
        int | None: lambda value: None if value is None else _integer(value),
        str: _string,
        str | None: lambda value: None if value is None else _string(value),
        UUID: UUID,
        UUID | None: lambda value: None if value is None else UUID(value),
        datetime: _time,
        datetime | None: lambda value: None if value is None else _time(value),
        tuple[EventLeg, ...]: _legs,
    }
)

Data = TypeVar("Data")


def _fields(data_type: type[Data], values: Mapping[str, Any]) -> Data:
    return data_type(
        **{
            f.name: _field(values, f.name, f.type)
            for f in fields(data_type)  # type: ignore[arg-type]
            if f.name in values or f.default is MISSING
        }
    )


def _field(values: Mapping[str, Any], name: str, kind: Any) -> Any:
    if name not in values:
        raise MalformedEvent(f"{name} is missing")
    try:
        return _READERS[kind](values[name])
    except MalformedEvent:
        raise
    except (TypeError, ValueError, AttributeError) as error:
        raise MalformedEvent(f"{name}: {error}") from None


def _to_dict(event: LedgerEvent) -> dict[str, Any]:
    occurred_at = event.occurred_at.astimezone(UTC).isoformat(timespec="milliseconds")
    return {
        "event_id": event.event_id,
        "sequence": event.sequence,
        "type": event.type,
        "version": event.version,
        "occurred_at": occurred_at.replace("+00:00", "Z"),
        "data": event.data,
    }


def _load(payload: bytes) -> Any:
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise MalformedEvent(f"not JSON: {error}") from error
