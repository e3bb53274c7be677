"""Kafka records of the ledger's events: one an event, in the order of the log.

- key: the account that the event is about (`payer_id` of a gift, `user_id` of a grant, the owner of
  a posting's first leg, …), so that the events of one account stay in order: they are in one
  partition.
- value: the event as docs/PROTOCOL.md shows it, JSON in UTF-8.
- headers: `event_id`, `event_type`, `event_version`, by which a reader can drop repeats and pass
  over what it does not know, without reading the value.
- timestamp: when the event occurred.

Types are not looked at: an event that this version does not know is exported all the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

ACCOUNT_FIELDS = ("payer_id", "user_id", "owner_id", "payee_id", "account_id")
"""Fields of an event's data that may name its account, the first that is there."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record, as producers take it."""

    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    timestamp_ms: int


def records_of(payload: bytes) -> tuple[list[Record], list[str]]:
    """The records of a batch of events, and what is wrong with the events that have none."""
    try:
        values = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        return [], [f"not JSON: {error}"]
    if not isinstance(values, list):
        return [], ["a batch of events is a JSON array"]
    records, faults = [], []
    for place, value in enumerate(values):
        try:
            records.append(_record(value))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            faults.append(f"event {place}: {type(error).__name__}: {error}")
    return records, faults


def _record(event: Mapping[str, Any]) -> Record:
    event_id, data = event["event_id"], event["data"]
    account = _account(data) or event_id
    occurred_at = datetime.fromisoformat(event["occurred_at"])
    return Record(
        key=account.encode(),
        value=orjson.dumps(event),
        headers=(
            ("event_id", event_id.encode()),
            ("event_type", event["type"].encode()),
            ("event_version", str(int(event["version"])).encode()),
        ),
        timestamp_ms=round(occurred_at.timestamp() * 1000),
    )


def _account(data: Mapping[str, Any]) -> str | None:
    """Whom it is about: by a field of its own, else the first leg that is a person's."""
    named = (data.get(name) for name in ACCOUNT_FIELDS)
    legs = (leg.get("owner_id") for leg in data.get("legs", ()))
    return next((account for account in (*named, *legs) if account), None)
