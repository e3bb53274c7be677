"""Every result beside every state: news, known, or a contradiction."""

from dataclasses import replace
from uuid import uuid4

import pytest

from ledger.payouts.results import Meaning, PayoutResult, ResultSource, ResultStatus, meaning
from ledger.payouts.states import PayoutState
from tests.ledger.payouts.test_payout import PAYOUT

NEWS, KNOWN, CONTRADICTION = Meaning.NEWS, Meaning.KNOWN, Meaning.CONTRADICTION
MEANINGS = {
    "captured": (NEWS, NEWS, NEWS),
    "sent": (NEWS, NEWS, NEWS),
    "settled": (KNOWN, CONTRADICTION, NEWS),
    "failed": (CONTRADICTION, KNOWN, KNOWN),
    "returned": (KNOWN, CONTRADICTION, KNOWN),
}


def said(status, **fields):
    sound = {
        "payout_id": PAYOUT.payout_id,
        "status": ResultStatus(status),
        "amount_minor": 5_000,
        "currency": "COIN",
        "reference": None,
        "reason": None,
    }
    return PayoutResult(**sound | fields)


@pytest.mark.parametrize("state", PayoutState)
def test_every_result_in_every_state(state):
    payout = replace(PAYOUT, state=state, transaction_id=uuid4())
    expected = MEANINGS.get(state, (CONTRADICTION,) * 3)
    for status, what in zip(ResultStatus, expected, strict=True):
        got, why = meaning(payout, said(status))
        assert got is what, status
        assert bool(why) == (what is CONTRADICTION)


def test_a_payout_that_never_left_the_house_has_no_results():
    failed = replace(PAYOUT, state=PayoutState.FAILED)
    assert meaning(failed, said("failed"))[0] is CONTRADICTION


def test_what_came_back_was_settled_whoever_tells_it_first():
    failed = replace(PAYOUT, state=PayoutState.FAILED, transaction_id=uuid4())
    assert meaning(failed, said("settled"), came_back=True)[0] is KNOWN
    assert meaning(failed, said("settled", currency="EUR"), came_back=True)[0] is CONTRADICTION


@pytest.mark.parametrize("state", ["failed", "cancelled", "rejected"])
def test_an_admin_who_was_asked_may_say_that_it_was_not_paid(state):
    asked = replace(PAYOUT, state=PayoutState(state), attention="settled")
    assert meaning(asked, said("failed"), ResultSource.ADMIN)[0] is KNOWN
    assert meaning(asked, said("settled"), ResultSource.ADMIN)[0] is CONTRADICTION
    assert meaning(asked, said("failed"), ResultSource.FILE)[0] is CONTRADICTION
    unasked = replace(asked, attention=None)
    assert meaning(unasked, said("failed"), ResultSource.ADMIN)[0] is CONTRADICTION


def test_wrong_amounts_currencies_and_references_are_contradictions():
    payout = replace(PAYOUT, state=PayoutState.SENT, transaction_id=uuid4(), reference="BANK-1")
    for fields in ({"amount_minor": 4_999}, {"currency": "EUR"}, {"reference": "BANK-2"}):
        what, why = meaning(payout, said("settled", **fields))
        assert what is CONTRADICTION
        assert str(next(iter(fields.values()))) in why
    assert meaning(payout, said("settled", reference="BANK-1"))[0] is NEWS
    assert meaning(payout, said("returned", reference="R-1"))[0] is NEWS
