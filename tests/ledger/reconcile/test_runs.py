"""The names that are written to the database, which never change."""

from ledger.reconcile.runs import Found, RunKind


def test_kinds_are_those_of_the_table():
    assert {str(kind) for kind in RunKind} == {"internal", "settlement"}


def test_what_was_found_twice_is_one():
    assert len({Found("holds", "a", "b"), Found("holds", "a", "b")}) == 1
