"""Results: applied once, known, or kept for an admin."""

import asyncio
import hashlib
from uuid import uuid4

import pytest

from ledger.errors import LedgerBusy, OwnMoney
from ledger.payouts.errors import (
    BadNotice,
    ContradictoryResult,
    ProviderContradicts,
    UnknownPayout,
)
from ledger.payouts.events import PayoutConfirmed
from ledger.payouts.notices import Notice
from ledger.payouts.results import Meaning, ResultSource
from tests.support.payout_house import result

PROVIDER, FILE, ADMIN = ResultSource.PROVIDER, ResultSource.FILE, ResultSource.ADMIN


@pytest.fixture
async def sent(wired):
    payout = await wired.ask(wired.user())
    await wired.settle()
    return await wired.store.get(payout.payout_id)


def notice(payout, status, notice_id="evt_1", **fields):
    said = result(payout, status, fields.pop("reason", None), **fields)
    return Notice(notice_id, hashlib.sha256(repr(said).encode()).digest(), said)


async def test_news_is_applied_and_then_known(wired, sent):
    settled = result(sent, "settled", reference=sent.reference)
    payout, what = await wired.settlement.record(settled, PROVIDER)
    assert (payout.state, what) == ("settled", Meaning.NEWS)
    for source in ResultSource:
        assert (await wired.settlement.record(settled, source))[1] is Meaning.KNOWN
    await wired.settle()
    assert wired.books.paid == 5_000


async def test_results_that_arrive_at_once_are_applied_once(wired, sent):
    settled = result(sent, "settled")
    outcomes = await asyncio.gather(*(wired.settlement.record(settled, PROVIDER) for _ in range(8)))
    assert sorted(what for _, what in outcomes) == [Meaning.KNOWN] * 7 + [Meaning.NEWS]


async def test_of_two_different_results_at_once_the_second_is_a_contradiction(wired, sent):
    outcomes = await asyncio.gather(
        wired.settlement.record(result(sent, "settled"), PROVIDER),
        wired.settlement.record(result(sent, "failed", "No."), FILE),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, ContradictoryResult) for outcome in outcomes) == 1
    await wired.settle()
    payout = await wired.store.get(sent.payout_id)
    assert payout.attention
    assert wired.books.on_the_way == 0
    assert wired.books.paid == (5_000 if payout.state == "settled" else 0)


async def test_a_wrong_amount_changes_nothing_but_asks_an_admin(wired, sent):
    with pytest.raises(ContradictoryResult, match="4999"):
        await wired.settlement.record(result(sent, "settled", amount_minor=4_999), FILE)
    payout = await wired.store.get(sent.payout_id)
    assert payout.state == "sent"
    assert "4999" in payout.attention
    with pytest.raises(ContradictoryResult):
        await wired.settlement.record(result(sent, "settled", amount_minor=4_999), PROVIDER)
    assert await wired.store.get(sent.payout_id) == payout, "an admin is not told twice"
    done, _ = await wired.settlement.record(result(sent, "settled"), ADMIN, uuid4())
    assert (done.state, done.attention) == ("settled", None)


@pytest.mark.parametrize("known", ["settled", "failed"])
async def test_an_admin_who_says_what_was_known_ends_the_question(wired, sent, known):
    other = "failed" if known == "settled" else "settled"
    await wired.settlement.record(result(sent, known, "No."), PROVIDER)
    await wired.settle()
    with pytest.raises(ContradictoryResult):
        await wired.settlement.record(result(sent, other, "No."), PROVIDER)
    with pytest.raises(ContradictoryResult):
        await wired.settlement.record(result(sent, other, "No."), ADMIN, uuid4())
    await wired.settlement.record(result(sent, known, "No."), PROVIDER)
    assert len(await wired.store.to_look_at(None, 10)) == 1, "the provider's word ends nothing"
    by = uuid4()
    payout, what = await wired.settlement.record(result(sent, known, "No."), ADMIN, by)
    assert (payout.state, payout.attention, what) == (known, None, Meaning.KNOWN)
    assert (await wired.store.history(sent.payout_id))[-1].data == PayoutConfirmed(known, by)
    again, _ = await wired.settlement.record(result(sent, known, "No."), ADMIN, by)
    assert again == payout, "there was no question any more"


async def test_an_admin_ends_the_question_of_one_that_was_never_sent(house):
    user = house.user()
    payout = await house.ask(user)
    with pytest.raises(ContradictoryResult):
        await house.settlement.record(result(payout, "settled"), FILE)
    await house.service.cancel(user, payout.payout_id)
    for status in ("settled", "returned"):
        with pytest.raises(ContradictoryResult):
            await house.settlement.record(result(payout, status), ADMIN, uuid4())
    ended, what = await house.settlement.record(result(payout, "failed", "Not."), ADMIN, uuid4())
    assert (ended.state, ended.attention, what) == ("cancelled", None, Meaning.KNOWN)
    with pytest.raises(ContradictoryResult):
        await house.settlement.record(result(payout, "failed", "Not."), ADMIN, uuid4())


async def test_nobody_says_what_became_of_their_own(wired, sent):
    for status in ("failed", "settled"):
        with pytest.raises(OwnMoney):
            await wired.settlement.record(result(sent, status, "Lost."), ADMIN, sent.user_id)
    assert await wired.state(sent) == "sent"
    _, what = await wired.settlement.record(result(sent, "settled"), FILE, sent.user_id)
    assert what is Meaning.NEWS  # a bank's file may have it, whoever brings it


async def test_what_an_admin_says_by_mistake_marks_nothing(house):
    payout = await house.ask(house.user())
    with pytest.raises(ContradictoryResult):
        await house.settlement.record(result(payout, "settled"), ADMIN, uuid4())
    assert await house.store.get(payout.payout_id) == payout


async def test_a_settlement_told_after_the_return_is_known(wired, sent):
    returned, settled = result(sent, "returned", "Closed."), result(sent, "settled")
    await wired.settlement.record(returned, PROVIDER)
    await wired.settle()
    payout, what = await wired.settlement.record(settled, PROVIDER)
    assert (payout.state, payout.attention, what) == ("failed", None, Meaning.KNOWN)
    assert (wired.books.paid, wired.books.on_the_way) == (0, 0)
    assert wired.books.available[sent.user_id] == 10_000
    with pytest.raises(ContradictoryResult):
        await wired.settlement.record(result(sent, "settled", amount_minor=1), PROVIDER)


async def test_an_unknown_payout_is_refused(wired, sent):
    with pytest.raises(UnknownPayout):
        await wired.settlement.record(result(sent, "settled", payout_id=uuid4()), FILE)


async def test_a_notice_is_taken_once(wired, sent):
    settled = notice(sent, "settled")
    assert await wired.settlement.take_notice("http", settled) is Meaning.NEWS
    assert await wired.settlement.take_notice("http", settled) is Meaning.KNOWN
    returned = notice(sent, "returned", "evt_2", reason="Closed.")
    assert await wired.settlement.take_notice("http", returned) is Meaning.NEWS
    assert await wired.settlement.take_notice("http", settled) is Meaning.KNOWN
    with pytest.raises(BadNotice, match="another notice"):
        await wired.settlement.take_notice("http", notice(sent, "failed"))
    await wired.settle()
    assert await wired.state(sent) == "returned"


async def test_a_notice_of_an_unknown_payout_may_come_again(wired, sent, pool):
    lost = notice(sent, "settled", payout_id=uuid4())
    for _ in range(2):
        with pytest.raises(BadNotice, match="no such payout"):
            await wired.settlement.take_notice("http", lost)
    assert await pool.fetchval("SELECT count(*) FROM ledger.payout_notices") == 0


async def test_a_contradictory_notice_is_taken_and_kept_for_an_admin(wired, sent):
    wrong = notice(sent, "settled", amount_minor=1)
    assert await wired.settlement.take_notice("http", wrong) is Meaning.CONTRADICTION
    [payout] = await wired.store.to_look_at(None, 10)
    assert (payout.payout_id, payout.state) == (sent.payout_id, "sent")


async def test_without_a_reason_there_is_one(wired, sent):
    await wired.settlement.record(result(sent, "failed"), PROVIDER)
    assert "no reason" in (await wired.store.get(sent.payout_id)).reason


async def test_a_notice_that_comes_again_revives_what_the_first_could_not(wired, monkeypatch):
    async def away(*_):
        raise LedgerBusy

    wired.bank.answers = [ProviderContradicts("It was another order.")]
    payout = await wired.ask(wired.user())
    await wired.settle()
    told = notice(payout, "settled")
    with monkeypatch.context() as patched:
        patched.setattr(wired.tasks, "revive_stream", away)
        with pytest.raises(LedgerBusy):
            await wired.settlement.take_notice("http", told)
    assert await wired.settlement.take_notice("http", told) is Meaning.KNOWN
    await wired.settle()
    assert (wired.books.on_the_way, wired.books.paid) == (0, 5_000), "it was cleared"
