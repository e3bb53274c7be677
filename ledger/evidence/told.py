"""What the events of the log tell of rows that are no part of the chain themselves: of holds, of
currencies, and of what accounts are described with. The log is chained, so the rows must be what it
says.

Nearly all batches are of gifts alone, and tell nothing: their first event shows what they are.
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson

from ledger.evidence.encoding import instant
from ledger.evidence.findings import Finding, log_name
from ledger.evidence.holds import HoldLog, HoldRow

OWN_SCALES: Mapping[str, int] = {"COIN": 0}
"""Currencies of the product itself, which no event has to tell of."""

NOT_DESCRIBED = sha256(b"{}").hexdigest()
"""Of an account's metadata before anybody has set it."""

_INTEGER = struct.Struct(">q")
_POSTED_AT, _EVENTS = 42, 54
"""Where the two begin in an encoded row of the log."""
_GIFT, _HEAD = b'"type":"gift.sent"', 200
"""As the writer of gifts says it, without a space, behind the event's id and its sequence.

Other writers say "type": "…" with one, and text that somebody wrote has its quotes escaped.
"""
_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, struct.error)

Teller = Callable[[Mapping[str, Any], datetime], str | None]


class Told:
    """Gathers what batches tell, in the order of the log, and compares rows with it."""

    def __init__(self) -> None:
        self._holds = HoldLog()
        self._scales: dict[str, int] = {}
        self._descriptions: dict[UUID, str] = {}
        self._tellers: Mapping[str, Teller] = {
            "hold.changed": self._holds.note,
            "currency.added": self._note_currency,
            "account.described": self._note_description,
        }
        self._marks = [f'"{name}"'.encode() for name in self._tellers]

    def note(self, log: Iterable[memoryview]) -> Iterator[Finding]:
        """Read the rows of a batch in the log; yields what can't be."""
        for row in log:
            if _GIFT in row[_EVENTS : _EVENTS + _HEAD].tobytes():
                continue
            octets = row.tobytes()
            if not any(mark in octets for mark in self._marks):
                continue
            try:
                problem = self._note_events(octets)
            except _UNREADABLE:
                problem = "its events can't be read"
            if problem is not None:
                yield Finding("event_log", log_name(row), problem)

    def _note_events(self, row: bytes) -> str | None:
        at = instant(_INTEGER.unpack_from(row, _POSTED_AT)[0])
        for event in orjson.loads(row[_EVENTS:]):
            teller = self._tellers.get(event["type"])
            if teller is not None and (problem := teller(event["data"], at)) is not None:
                return problem
        return None

    def _note_currency(self, data: Mapping[str, Any], _: datetime) -> str | None:
        currency, scale = data["currency"], data["scale"]
        before = self._scales.setdefault(currency, scale)
        return None if before == scale else f"it adds {currency} again, with another scale"

    def _note_description(self, data: Mapping[str, Any], _: datetime) -> str | None:
        self._descriptions[UUID(data["account_id"])] = data["metadata_sha256"]
        return None

    def compare_hold(self, row: HoldRow) -> Iterator[Finding]:
        """What of a row of holds is not as it was told; each is compared once."""
        for problem in self._holds.problems(row):
            yield Finding("holds", f"hold_id {row.hold_id}", problem)

    def missing_holds(self) -> Iterator[Finding]:
        """Holds that were told of, without those that were compared."""
        for hold_id in self._holds.left():
            yield Finding("holds", f"hold_id {hold_id}", "the row is missing")

    def compare_currencies(self, rows: Sequence[tuple[str, int]]) -> Iterator[Finding]:
        """What of all rows of currencies is not as it was told."""
        expected, found = {**OWN_SCALES, **self._scales}, dict(rows)
        for currency in sorted(expected.keys() | found.keys()):
            if (problem := _scale_problem(expected.get(currency), found.get(currency))) is not None:
                yield Finding("currencies", f"currency {currency}", problem)

    def compare_descriptions(self, rows: Sequence[tuple[UUID, str]]) -> Iterator[Finding]:
        """Accounts whose metadata is not as it was told; `rows` are all that have some."""
        found = dict(rows)
        for account_id in sorted(self._descriptions.keys() | found.keys()):
            expected = self._descriptions.get(account_id, NOT_DESCRIBED)
            if found.get(account_id, NOT_DESCRIBED) != expected:
                problem = "metadata is not what the newest event says that it was described with"
                yield Finding("accounts", f"account_id {account_id}", problem)


def _scale_problem(expected: int | None, found: int | None) -> str | None:
    if expected == found:
        return None
    if found is None:
        return "the row is missing"
    if expected is None:
        return "the row was added: no event tells of it"
    return f"scale is {found}, it was added with {expected}"
