"""The replay: what comes out when the books are sound, and what it says when they are not."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from ledger.evidence.encoding import entry_rows
from ledger.evidence.links import ChainBuilder
from ledger.evidence.replay import AccountRow, Replay
from tests.support.evidence import AT, ONE, OTHER, batch, entry_row, log_row, transaction_row

EPOCH = AT.replace(year=1970, day=1)
THIRD = UUID(int=3)


def replay(*, from_the_beginning=True):
    made = Replay(from_the_beginning=from_the_beginning)
    made.add_account(ONE, "COIN", guarded=False)
    made.add_account(OTHER, "COIN", guarded=True)
    made.add_account(THIRD, "EURO", guarded=True)
    return made


def problems(made):
    return [(found.table, found.row, found.problem) for found in made.findings]


def with_entries(*rows, **changes):
    return replace(batch(), entries=memoryview(b"".join(rows)), **changes)


def test_a_sound_history():
    made, chain = replay(), ChainBuilder()
    history = [batch(1), batch(4, first_entry=3, before=7)]
    for each in history:
        made.play(each, chain.add_batch(each))
    made.compare(
        [
            AccountRow(ONE, "COIN", False, -14, 0, AT, 0),
            AccountRow(OTHER, "COIN", True, 14, 14, AT, 14),
            AccountRow(THIRD, "EURO", True, 0, 0, EPOCH, 0),
        ]
    )
    assert made.findings == []
    assert (made.batches, made.transactions, made.entries) == (2, 2, 4)


@pytest.mark.parametrize(
    ("rows", "table", "row", "problem"),
    [
        (
            [entry_row(1, ONE, -7, -7), entry_row(2, OTHER, 6, 6)],
            "transactions",
            f"transaction_id {ONE}",
            "sum to -1 COIN",
        ),
        (
            [entry_row(1, ONE, -7, -7), entry_row(2, THIRD, 7, 7)],
            "transactions",
            f"transaction_id {ONE}",
            "sum to -7 COIN",
        ),
        (
            [entry_row(1, ONE, -7, -7), entry_row(2, OTHER, 7, 8)],
            "journal_entries",
            "entry_id 2",
            "0 and 7 are not 8",
        ),
        (
            [entry_row(1, ONE, 7, 7), entry_row(2, OTHER, -7, -7)],
            "journal_entries",
            "entry_id 2",
            "below zero",
        ),
        (
            [entry_row(1, ONE, 0, 0)],
            "journal_entries",
            "entry_id 1",
            "zero",
        ),
        (
            [entry_row(1, UUID(int=9), -7, -7), entry_row(2, OTHER, 7, 7)],
            "journal_entries",
            "entry_id 1",
            "no account",
        ),
        ([], "transactions", f"transaction_id {ONE}", "no entries"),
        (
            [
                *map(bytes, entry_rows(batch().entries)),
                entry_row(3, ONE, -1, -8, transaction=THIRD),
                entry_row(4, OTHER, 1, 8, transaction=THIRD),
            ],
            "transactions",
            f"transaction_id {THIRD}",
            "no such row in batch 5",
        ),
    ],
)
def test_what_does_not_come_out_is_found(rows, table, row, problem):
    made = replay()
    made.play(with_entries(*rows), None)
    first = made.findings[0]
    assert (first.table, first.row) == (table, row)
    assert problem in first.problem


def test_time_does_not_run_backwards_on_an_account():
    made = replay()
    made.play(batch(1), None)
    early = AT - timedelta(milliseconds=1)
    rows = [entry_row(3, ONE, -7, -14, at=early), entry_row(4, OTHER, 7, 14, at=early)]
    made.play(with_entries(*rows), None)
    assert [found.row for found in made.findings] == ["entry_id 3", "entry_id 4"]
    assert "before the one before it" in made.findings[0].problem


@pytest.mark.parametrize("log", [(), [*batch().log, *batch().log]])
def test_a_batch_has_one_row_in_the_log(log):
    made = replay()
    made.play(replace(batch(), log=log), None)
    assert problems(made) == [
        ("event_log", "sequence 5", f"{len(log)} rows of this sequence, where others count on one")
    ]


def test_what_was_chained_otherwise_is_found_first():
    made = replay()
    link = ChainBuilder().add_batch(batch())
    made.play(replace(batch(), transactions=[transaction_row(text="y")]), link)
    assert [found.table for found in made.findings] == ["transactions"]


def test_a_replay_from_the_middle_takes_an_account_at_its_word_once():
    made = replay(from_the_beginning=False)
    made.play(batch(9, first_entry=17, before=700), None)
    assert made.findings == []
    made.play(batch(10, first_entry=19, before=700), None)
    assert [found.row for found in made.findings] == ["entry_id 19", "entry_id 20"]


def test_a_known_account_is_added_once():
    made = replay()
    made.play(batch(), None)
    made.add_account(ONE, "COIN", guarded=False)
    assert made.knows(ONE)
    assert not made.knows(UUID(int=8))
    made.play(batch(6, first_entry=3, before=7), None)
    assert made.findings == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"balance_minor": 8}, "balance_minor is 8, its entries come to 7"),
        ({"moved_at": AT + timedelta(days=1)}, "newest entry"),
        ({"held_minor": 3}, "its open holds come to 0"),
        ({"held_minor": 8, "open_holds_minor": 8}, "below what is held"),
    ],
)
def test_accounts_are_compared_in_the_end(change, problem):
    made = replay()
    made.play(batch(), None)
    made.compare([replace(AccountRow(OTHER, "COIN", True, 7, 0, AT, 0), **change)])
    [found] = made.findings
    assert (found.table, found.row) == ("accounts", f"account_id {OTHER}")
    assert problem in found.problem


def test_an_account_without_entries_never_moved():
    made = replay()
    made.compare([AccountRow(THIRD, "EURO", True, 0, 0, AT, 0)])
    assert "has no entry" in made.findings[0].problem
    made = replay()
    made.compare([AccountRow(UUID(int=8), "EURO", True, 5, 0, EPOCH, 0)])
    assert "come to 0" in made.findings[0].problem


@pytest.mark.parametrize(("whole", "found"), [(True, ["event_log"]), (False, [])])
def test_what_is_told_is_noted_from_the_beginning_alone(whole, found):
    made = replay(from_the_beginning=whole)
    log = [log_row(events='[{"type": "hold.changed"}]')]
    made.play(replace(batch(), log=log), None)
    assert [each.table for each in made.findings] == found
