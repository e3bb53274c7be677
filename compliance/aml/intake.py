"""Entries of the event stream, and the gifts in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from compliance.aml.features import GiftActivity
from ledger.events import GiftSent, LedgerEvent, MalformedEvent, batch_from_json, from_json


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the stream: a batch of events as JSON, and how often it was handed out."""

    entry_id: str
    payload: bytes
    deliveries: int


@dataclass(frozen=True, slots=True)
class Intake:
    """What was read from an entry."""

    entry: Entry
    events: int
    """Events that could be read, those that are no gifts among them."""
    gifts: tuple[GiftActivity, ...]
    faults: tuple[str, ...]
    """What of it can't be handled, and why."""
    newest: datetime | None
    """When the last of its events occurred."""


def take_in(entry: Entry, remembered_since: datetime) -> Intake:
    """Read an entry; one bad event does not spoil the others.

    A gift from before `remembered_since` is a fault, too: nobody can tell whether it is a repeat.
    """
    events, faults = _read(entry.payload)
    gifts = [_gift(event, event.data) for event in events if isinstance(event.data, GiftSent)]
    faults += [
        f"{gift.event_id}: occurred before {remembered_since:%Y-%m-%d}, from which on gifts are "
        "remembered"
        for gift in gifts
        if gift.occurred_at < remembered_since
    ]
    return Intake(
        entry=entry,
        events=len(events),
        gifts=tuple(gift for gift in gifts if gift.occurred_at >= remembered_since),
        faults=tuple(faults),
        newest=max((event.occurred_at for event in events), default=None),
    )


def _read(payload: bytes) -> tuple[list[LedgerEvent], list[str]]:
    """The events that can be read, and what is wrong with the others."""
    try:
        return batch_from_json(payload), []
    except MalformedEvent as error:
        values = _array(payload)
        if values is None:
            return [], [str(error)]
    events, faults = [], []
    for place, value in enumerate(values):
        try:
            events.append(from_json(orjson.dumps(value)))
        except MalformedEvent as error:
            faults.append(f"event {place}: {error}")
    return events, faults


def _array(payload: bytes) -> list[Any] | None:
    try:
        values = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
    return values if isinstance(values, list) else None


def _gift(event: LedgerEvent, data: GiftSent) -> GiftActivity:
    return GiftActivity(
        event_id=event.event_id,
        transaction_id=data.transaction_id,
        payer_id=data.payer_id,
        payee_id=data.payee_id,
        amount_minor=data.total_minor,
        occurred_at=event.occurred_at,
    )
