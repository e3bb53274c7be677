"""Tasks: their ids, their states, and when they are tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from ledger.sagas.steps import (
    MAX_ERROR_CHARS,
    TRANSITIONS,
    Retries,
    Saga,
    Task,
    TaskEvent,
    TaskState,
    error_text,
    task_id,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_ids_are_derived_and_differ():
    first = task_id("kettle:1", 2, "boil")
    assert first == task_id("kettle:1", 2, "boil")
    assert first.version == 5
    assert len({first, task_id("kettle:1", 3, "boil"), task_id("kettle:1", 2, "pour")}) == 3
    task = Task(first, "kettle:1", 2, "boil", TaskState.DUE, 1, NOW, None, NOW, None)
    assert task.request_id("cup") == task.request_id("cup") != task.request_id("saucer")


def test_pauses_double_to_the_longest_and_end():
    retries = Retries(most_attempts=6, first_s=1, longest_s=5)
    pauses = [retries.after(attempts, NOW) for attempts in range(1, 7)]
    assert pauses == [NOW + timedelta(seconds=s) for s in (1, 2, 4, 5, 5)] + [None]
    assert Retries(10**6, 1, 600).after(10**5, NOW) == NOW + timedelta(seconds=600)


def test_every_state_has_its_row_and_a_done_task_stays_done():
    assert set(TRANSITIONS) == set(TaskState)
    assert TRANSITIONS[TaskState.DONE] == {}
    assert {e for row in TRANSITIONS.values() for e in row} == set(TaskEvent)


async def nothing(task, event):
    """No step does nothing; this one is never called."""


def test_each_step_has_a_cause_and_a_hand():
    with pytest.raises(ValueError, match="pour"):
        Saga("tea", {"kettle.boiled": "pour"}, {})
    with pytest.raises(ValueError, match="pour"):
        Saga("tea", {}, {"pour": nothing})


def test_what_is_kept_of_an_error_is_one_bounded_line():
    assert error_text(ValueError("no\nwater\x00")) == "ValueError: no water?"
    assert len(error_text(ValueError("x" * 10_000))) == MAX_ERROR_CHARS
