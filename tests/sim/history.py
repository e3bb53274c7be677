"""What clients saw while the system was being broken: the history that the checker judges.

A request may be tried several times, as clients do that got no answer; each try is a `Call`. Times
are ticks of one counter, so `began` and `ended` order the calls of all clients.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from uuid import UUID


class Outcome(Enum):
    """How a call ended for its client."""

    OK = "ok"
    REFUSED = "refused"
    """The ledger said no: nothing may have happened."""
    UNKNOWN = "unknown"
    """No answer, or one that says neither: it may have happened, once."""


@dataclass(frozen=True, slots=True)
class Key:
    """What a request is told apart by."""

    caller_id: UUID
    request_id: UUID


@dataclass(slots=True)
class Call:
    """One try of a request."""

    key: Key
    operation: str
    arguments: Mapping[str, Any]
    began: int
    ended: int | None = None
    outcome: Outcome = Outcome.UNKNOWN
    answer: Mapping[str, Any] = field(default_factory=dict)
    """The receipt, or why it was refused."""


@dataclass(frozen=True, slots=True)
class Request:
    """All tries of a request."""

    calls: tuple[Call, ...]

    @property
    def key(self) -> Key:
        return self.calls[0].key

    @property
    def operation(self) -> str:
        return self.calls[0].operation

    @property
    def arguments(self) -> Mapping[str, Any]:
        return self.calls[0].arguments

    @property
    def outcome(self) -> Outcome:
        """OK where one try was answered so; UNKNOWN where one may have been; else REFUSED."""
        outcomes = {call.outcome for call in self.calls}
        strongest = (Outcome.OK, Outcome.UNKNOWN, Outcome.REFUSED)
        return next(each for each in strongest if each in outcomes)

    @property
    def began(self) -> int:
        return min(call.began for call in self.calls)

    @property
    def acknowledged(self) -> int | None:
        """When it was first known to be done."""
        ended = [c.ended for c in self.calls if c.outcome is Outcome.OK and c.ended is not None]
        return min(ended, default=None)

    @property
    def answers(self) -> list[Mapping[str, Any]]:
        return [call.answer for call in self.calls if call.outcome is Outcome.OK]


class History:
    """Written by the clients while they work."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._now = 0

    def begin(self, key: Key, operation: str, arguments: Mapping[str, Any]) -> Call:
        """A call that is about to be made; until it is ended its outcome is unknown."""
        self._now += 1
        call = Call(key, operation, arguments, began=self._now)
        self.calls.append(call)
        return call

    def end(self, call: Call, outcome: Outcome, answer: Mapping[str, Any]) -> None:
        self._now += 1
        call.ended, call.outcome, call.answer = self._now, outcome, answer

    def requests(self) -> list[Request]:
        return requests(self.calls)


def requests(calls: Iterable[Call]) -> list[Request]:
    """The calls, put together by their key."""
    tries: dict[Key, list[Call]] = {}
    for call in calls:
        tries.setdefault(call.key, []).append(call)
    return [Request(tuple(each)) for each in tries.values()]
