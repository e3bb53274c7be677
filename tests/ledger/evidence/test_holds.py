"""What the log tells of holds, beside their rows; and holds that were forged with accounts."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from config.ledger import EvidenceSettings
from ledger.evidence.chainer import Chainer
from ledger.evidence.holds import HoldLog, HoldRow
from tests.support.evidence import AT, ONE, OTHER
from tests.support.forger import names

PLACED = {
    "hold_id": str(ONE),
    "owner_id": str(OTHER),
    "code": "wallet",
    "currency": "COIN",
    "state": "open",
    "amount_minor": 50,
    "captured_minor": 0,
    "balance_minor": 90,
    "held_minor": 50,
    "reason": "payout",
    "expires_at": "2026-01-03T00:00:00.000001Z",
    "metadata_sha256": None,
}
ROW = HoldRow(
    hold_id=ONE,
    owner_id=str(OTHER),
    code="wallet",
    currency="COIN",
    state="open",
    amount_minor=50,
    captured_minor=0,
    reason="payout",
    expires_at="2026-01-03T00:00:00.000001Z",
    metadata_sha256=None,
    created_at=AT,
    closed_at=None,
)
LATER = AT + timedelta(hours=1)


def told(*changes, without=()):
    """A log with the hold placed, and so changed an hour later."""
    log = HoldLog()
    for n, change in enumerate([{}, *changes]):
        data = {name: value for name, value in PLACED.items() if name not in without}
        assert log.note(data | change, LATER if n else AT) is None
    return log


def test_rows_that_are_as_they_were_told_are_sound():
    assert list(told().problems(ROW)) == []
    part = told({"captured_minor": 20})
    assert list(part.problems(replace(ROW, captured_minor=20))) == []
    whole = told({"captured_minor": 20}, {"captured_minor": 50, "state": "captured"})
    row = replace(ROW, captured_minor=50, state="captured", closed_at=LATER)
    assert list(whole.problems(row)) == []
    assert list(whole.left()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"owner_id": None},
        {"code": "earnings_available"},
        {"currency": "EURO"},
        {"state": "voided"},
        {"amount_minor": 51},
        {"captured_minor": 1},
        {"reason": "x"},
        {"expires_at": "2026-01-03T00:00:00.000002Z"},
        {"metadata_sha256": "ab"},
        {"created_at": LATER},
        {"closed_at": LATER},
    ],
)
def test_any_value_that_was_not_told_is_named(change):
    [problem] = told().problems(replace(ROW, **change))
    assert problem.startswith(next(iter(change)))


def test_when_it_was_closed_is_when_it_was_told():
    log = told({"state": "voided"})
    [problem] = log.problems(replace(ROW, state="voided", closed_at=AT))
    assert problem.startswith("closed_at")


def test_rows_of_no_event_and_events_of_no_row_are_named():
    log = told()
    [problem] = log.problems(replace(ROW, hold_id=UUID(int=9)))
    assert "added" in problem
    assert list(log.left()) == [ONE]


def test_what_older_events_do_not_have_is_not_compared():
    terms = ("reason", "expires_at", "metadata_sha256")
    row = replace(ROW, reason="x", expires_at="y", metadata_sha256="z")
    assert list(told(without=terms).problems(row)) == []
    since = told({"reason": "x", "expires_at": "y", "metadata_sha256": "z"}, without=terms)
    assert list(since.problems(row)) == []


@pytest.mark.parametrize(
    ("before", "change", "problem"),
    [
        ({"state": "voided"}, {"state": "open"}, "after it was voided"),
        ({"captured_minor": 9}, {"captured_minor": 8}, "less of it"),
        ({}, {"amount_minor": 51}, "amount_minor never changes"),
        ({}, {"owner_id": str(ONE)}, "owner_id never changes"),
        ({}, {"reason": "x"}, "reason never changes"),
        ({}, {"expires_at": "x"}, "expires_at never changes"),
    ],
)
def test_an_event_that_cannot_follow_is_named(before, change, problem):
    log = told(before)
    assert problem in log.note(PLACED | before | change, LATER)


def test_the_first_event_of_a_hold_is_that_it_was_placed():
    assert "not that it was placed" in HoldLog().note(PLACED | {"state": "voided"}, AT)


HELD = (
    "UPDATE ledger.accounts a SET held_minor = coalesce((SELECT sum(amount_minor - captured_minor)"
    " FROM ledger.holds h WHERE h.account_id = a.account_id AND state = 'open'), 0)"
)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger.holds SET amount_minor = amount_minor - 1 WHERE state = 'open'",
        "UPDATE ledger.holds SET state = 'voided', closed_at = now() WHERE state = 'open'",
        "UPDATE ledger.holds SET state = 'open', closed_at = NULL WHERE state = 'voided'",
        "UPDATE ledger.holds SET state = 'captured', captured_minor = amount_minor"
        " WHERE state = 'voided'",
        "UPDATE ledger.holds SET expires_at = expires_at - interval '1 microsecond'"
        " WHERE state = 'open'",
        "UPDATE ledger.holds SET metadata = '{}' WHERE metadata IS NULL",
        "DELETE FROM ledger.holds WHERE state = 'open'",
        "DELETE FROM ledger.holds WHERE state <> 'open'",
    ],
)
async def test_holds_that_were_forged_with_their_accounts_are_found(forger, change):
    """The sum on the account is put right, too: only what was logged tells."""
    await forger.root.execute(change)
    await forger.root.execute(HELD)
    report = await forger.verify()
    assert names(report, "holds"), report.findings


async def test_a_hold_that_was_moved_to_another_row_of_the_account_is_found(forger, pool):
    """An owner has several rows of some accounts; holds are on the main one."""
    owner, hold = await pool.fetchrow(
        "SELECT owner_id, hold_id FROM ledger.holds JOIN ledger.accounts USING (account_id)"
        " WHERE state = 'voided'"
    )
    other = await pool.fetchval(
        "SELECT ledger.open_account($1, 'wallet', 'COIN', 7::smallint)", owner
    )
    chainer = Chainer(forger.evidence, EvidenceSettings(), clock=lambda: AT)
    await chainer.catch_up()
    assert (await forger.verify()).sound
    await forger.root.execute(
        "UPDATE ledger.holds SET account_id = $1 WHERE hold_id = $2", other, hold
    )
    report = await forger.verify()
    assert names(report, "holds", f"hold_id {hold}"), report.findings
