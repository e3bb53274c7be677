"""What may be done with a difference, in every state."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from ledger.reconcile.errors import InvalidNote, WorkConflict
from ledger.reconcile.worklist import (
    MAX_NOTE_CHARS,
    TRANSITIONS,
    Difference,
    DifferenceAction,
    DifferenceState,
    assign,
    resolve,
)

START, NOW = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
ADA = UUID(int=7)
OPEN = Difference(
    UUID(int=1),
    UUID(int=2),
    "holds",
    "account",
    "differs",
    DifferenceState.OPEN,
    None,
    None,
    START,
    START,
)


def test_it_is_given_to_somebody_and_back():
    mine = assign(OPEN, ADA, NOW)
    assert (mine.state, mine.assigned_to, mine.changed_at) == (DifferenceState.ASSIGNED, ADA, NOW)
    assert assign(mine, UUID(int=8), NOW).assigned_to == UUID(int=8)
    back = assign(mine, None, NOW)
    assert (back.state, back.assigned_to) == (DifferenceState.OPEN, None)
    with pytest.raises(WorkConflict):
        assign(OPEN, None, NOW)


def test_it_is_closed_with_a_note():
    done = resolve(assign(OPEN, ADA, NOW), "  paid by hand ", NOW)
    assert (done.state, done.note, done.assigned_to) == (
        DifferenceState.RESOLVED,
        "paid by hand",
        ADA,
    )


@pytest.mark.parametrize("note", ["", "  \n", "x" * (MAX_NOTE_CHARS + 1)])
def test_a_note_that_says_nothing_or_too_much_is_refused(note):
    with pytest.raises(InvalidNote):
        resolve(OPEN, note, NOW)


@pytest.mark.parametrize("state", [DifferenceState.RESOLVED, DifferenceState.CLEARED])
def test_what_is_closed_stays_so(state):
    closed = replace(OPEN, state=state)
    for change in (lambda: assign(closed, ADA, NOW), lambda: resolve(closed, "again", NOW)):
        with pytest.raises(WorkConflict, match=f"that is {state}"):
            change()


def test_every_state_has_its_row():
    assert set(TRANSITIONS) == set(DifferenceState)
    used = {action for moves in TRANSITIONS.values() for action in moves}
    assert used == set(DifferenceAction)
