"""Holds as their events tell of them, and what of their rows is not so.

The newest event of a hold says what its row must be like; when it was placed is when its first was
logged. Events from before version 0053 of the ledger's schema do not have the last three fields,
which are compared where they do.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from ledger.evidence.encoding import POSTGRES_EPOCH, instant

_FIXED = ("amount_minor", "owner_id", "code", "currency")
_TERMS = ("reason", "expires_at", "metadata_sha256")
_TOLD = (*_FIXED, "state", "captured_minor")


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A row of holds with whose account it is on, in the words of its event."""

    hold_id: UUID
    owner_id: str | None
    code: str | None
    """None where there is no such account, or it is not a main row (shard 0)."""
    currency: str | None
    state: str
    amount_minor: int
    captured_minor: int
    reason: str
    expires_at: str
    metadata_sha256: str | None
    created_at: datetime
    closed_at: datetime | None


class HoldLog:
    """What was told of each hold: some hundred octets, JSON, as there may be very many."""

    def __init__(self) -> None:
        self._told: dict[bytes, bytes] = {}

    def note(self, data: Mapping[str, Any], at: datetime) -> str | None:
        """The next event of a hold, logged at `at`; what is wrong with it. Raises ValueError,
        TypeError or KeyError for what is no such event.
        """
        hold_id = UUID(data["hold_id"])
        told = {name: data[name] for name in _TOLD}
        told |= {name: data[name] for name in _TERMS if name in data}
        known = self._told.get(hold_id.bytes)
        placed = _microseconds(at)
        if known is not None:
            placed, _, before = _read(known)
            if (problem := _step_problem(before, told)) is not None:
                return f"hold_id {hold_id}: {problem}"
        elif (told["state"], told["captured_minor"]) != ("open", 0):
            return f"hold_id {hold_id}: its first event is not that it was placed"
        self._told[hold_id.bytes] = orjson.dumps([placed, _microseconds(at), *told.values()])
        return None

    def problems(self, row: HoldRow) -> Iterator[str]:
        """What of a row is not as it was told; it is not among those that are left then."""
        known = self._told.pop(row.hold_id.bytes, None)
        if known is None:
            yield "the row was added: no event tells of it"
            return
        placed, changed, told = _read(known)
        for name, expected in told.items():
            if (found := getattr(row, name)) != expected:
                yield f"{name} is {found}, the log says {expected}"
        if row.created_at != instant(placed):
            yield f"created_at is {row.created_at}, it was placed at {instant(placed)}"
        closed_at = None if told["state"] == "open" else instant(changed)
        if row.closed_at != closed_at:
            yield f"closed_at is {row.closed_at}, the log says {closed_at}"

    def left(self) -> Iterator[UUID]:
        """Holds that were told of, but of which no row was looked at."""
        return (UUID(bytes=hold_id) for hold_id in self._told)


def _read(known: bytes) -> tuple[int, int, dict[str, Any]]:
    placed, changed, *values = orjson.loads(known)
    return placed, changed, dict(zip((*_TOLD, *_TERMS), values, strict=False))


def _step_problem(before: Mapping[str, Any], told: Mapping[str, Any]) -> str | None:
    if before["state"] != "open":
        return f"it changes after it was {before['state']}"
    if told["captured_minor"] < before["captured_minor"]:
        return "less of it is captured than before"
    for name in (*_FIXED, *_TERMS):
        if name in before and before[name] != told.get(name):
            return f"{name} never changes"
    return None


def _microseconds(at: datetime) -> int:
    since = at - POSTGRES_EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
