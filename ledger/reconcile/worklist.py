"""The work list: differences that people look into, and what may be done with one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from ledger.reconcile.errors import InvalidNote, WorkConflict

MAX_NOTE_CHARS = 1000


class DifferenceState(StrEnum):
    """Where a difference stands."""

    OPEN = "open"
    ASSIGNED = "assigned"
    RESOLVED = "resolved"
    """Somebody said what became of it."""

    CLEARED = "cleared"
    """A later run did not find it any more."""


class DifferenceAction(StrEnum):
    """What can be done with one."""

    ASSIGN = "assign"
    UNASSIGN = "unassign"
    RESOLVE = "resolve"
    CLEAR = "clear"


_S, _A = DifferenceState, DifferenceAction

TRANSITIONS: Mapping[DifferenceState, Mapping[DifferenceAction, DifferenceState]] = (
    MappingProxyType(
        {
            _S.OPEN: {_A.ASSIGN: _S.ASSIGNED, _A.RESOLVE: _S.RESOLVED, _A.CLEAR: _S.CLEARED},
            _S.ASSIGNED: {
                _A.ASSIGN: _S.ASSIGNED,
                _A.UNASSIGN: _S.OPEN,
                _A.RESOLVE: _S.RESOLVED,
                _A.CLEAR: _S.CLEARED,
            },
            _S.RESOLVED: {},
            _S.CLEARED: {},
        }
    )
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of the work list."""

    difference_id: UUID
    reconciliation_id: UUID
    check_name: str
    subject: str
    reason: str
    state: DifferenceState
    assigned_to: UUID | None
    note: str | None
    opened_at: datetime
    changed_at: datetime


def assign(difference: Difference, to: UUID | None, now: datetime) -> Difference:
    """Give it to somebody, or to nobody. Raises WorkConflict."""
    action = DifferenceAction.UNASSIGN if to is None else DifferenceAction.ASSIGN
    state = _after(difference, action)
    return replace(difference, state=state, assigned_to=to, changed_at=now)


def resolve(difference: Difference, note: str, now: datetime) -> Difference:
    """Close it, with what became of it. Raises WorkConflict or InvalidNote."""
    if not (0 < len(note.strip()) <= MAX_NOTE_CHARS):
        raise InvalidNote(MAX_NOTE_CHARS)
    state = _after(difference, DifferenceAction.RESOLVE)
    return replace(difference, state=state, note=note.strip(), changed_at=now)


def _after(difference: Difference, action: DifferenceAction) -> DifferenceState:
    state = TRANSITIONS[difference.state].get(action)
    if state is None:
        raise WorkConflict(action, difference.state)
    return state
