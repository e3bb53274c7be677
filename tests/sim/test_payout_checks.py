"""The checks of payouts find what they are there for: each row breaks a sound story in one way."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from tests.sim.case import Case
from tests.sim.checker import faults
from tests.sim.evidence import Account, Entry, Evidence, Hold, Order, Payout, Transaction
from tests.sim.history import Call, History, Key, Outcome
from tests.sim.model import payout_key
from tests.sim.payout_checks import PAYOUT_CHECKS

ADA, ADMIN = UUID(int=1), UUID(int=2)
AVAILABLE, PAYOUTS, CLEARING, ISSUANCE = (UUID(int=number) for number in range(11, 15))
OWNER = {
    AVAILABLE: (ADA, "earnings_available"),
    PAYOUTS: (None, "payouts"),
    CLEARING: (None, "payment_clearing"),
    ISSUANCE: (None, "issuance"),
}
PAID, FAILED, RETURNED, CANCELLED = (UUID(int=number) for number in range(21, 25))
POSTINGS = (
    (PAID, "capture", AVAILABLE, PAYOUTS),
    (PAID, "clear", PAYOUTS, CLEARING),
    (FAILED, "capture", AVAILABLE, PAYOUTS),
    (FAILED, "give_back", PAYOUTS, AVAILABLE),
    (RETURNED, "capture", AVAILABLE, PAYOUTS),
    (RETURNED, "clear", PAYOUTS, CLEARING),
    (RETURNED, "take_back", CLEARING, AVAILABLE),
)
STATES = {PAID: "settled", FAILED: "failed", RETURNED: "returned", CANCELLED: "cancelled"}
Story = tuple[list[Call], Evidence]


def hold_id(payout_id: UUID) -> UUID:
    return UUID(int=100 + payout_id.int)


def wish(payout_id: UUID) -> Key:
    return Key(ADA, UUID(int=200 + payout_id.int))


def postings() -> tuple[tuple[Transaction, ...], dict[UUID, int]]:
    """Ada has earned 100, of which each payout takes 10; and the balances after all."""
    balances = dict.fromkeys(OWNER, 0)
    transactions = []

    def post(number: int, key: Key | None, kind: str, source: UUID, to: UUID, amount: int) -> None:
        entries = []
        for place, (account, change) in enumerate(((source, -amount), (to, amount))):
            balances[account] += change
            order = 10 * number + place
            entries.append(Entry(order, account, *OWNER[account], change, balances[account]))
        transactions.append(Transaction(UUID(int=300 + number), key, kind, tuple(entries)))

    post(0, Key(ADMIN, UUID(int=999)), "grant", ISSUANCE, AVAILABLE, 100)
    for number, (payout_id, purpose, source, to) in enumerate(POSTINGS, 1):
        post(number, payout_key(payout_id, purpose), purpose, source, to, 10)
    return tuple(transactions), balances


def story() -> Story:
    """Of four payouts one was paid, one failed at the bank, one came back, one was cancelled."""
    history = History()
    for payout_id in STATES:
        call = history.begin(wish(payout_id), "payout", {"amount_minor": 10})
        history.end(call, Outcome.OK, {"payout_id": str(payout_id)})
    call = history.begin(Key(ADA, UUID(int=5)), "payout_cancel", {"payout_id": str(CANCELLED)})
    history.end(call, Outcome.OK, {"payout_id": str(CANCELLED)})
    transactions, balances = postings()
    return history.calls, Evidence(
        transactions=transactions,
        accounts=tuple(Account(each, *OWNER[each], balance) for each, balance in balances.items()),
        log=(),
        stream=(),
        effects={},
        holds=tuple(
            Hold(
                hold_id(each),
                payout_key(each, "hold"),
                AVAILABLE,
                10,
                0 if each == CANCELLED else 10,
                is_open=False,
            )
            for each in STATES
        ),
        payouts=tuple(
            Payout(each, wish(each), 10, state, hold_id(each)) for each, state in STATES.items()
        ),
        orders=tuple(
            Order(each, frozenset({10}), STATES[each]) for each in STATES if each != CANCELLED
        ),
    )


def payout(payout_id: UUID, **fields: Any) -> Callable[[Story], Story]:
    return rows("payouts", payout_id, **fields)


def rows(name: str, payout_id: UUID, /, **fields: Any) -> Callable[[Story], Story]:
    """What is there of a payout is another."""

    def change(story: Story) -> Story:
        calls, found = story
        old = getattr(found, name)
        new = tuple(replace(e, **fields) if e.payout_id == payout_id else e for e in old)
        assert new != old
        return calls, replace(found, **{name: new})

    return change


def held(payout_id: UUID, **fields: Any) -> Callable[[Story], Story]:
    def change(story: Story) -> Story:
        calls, found = story
        new = tuple(
            replace(each, **fields) if each.hold_id == hold_id(payout_id) else each
            for each in found.holds
        )
        return calls, replace(found, holds=new)

    return change


def without(name: str, payout_id: UUID) -> Callable[[Story], Story]:
    def change(story: Story) -> Story:
        calls, found = story
        kept = tuple(each for each in getattr(found, name) if each.payout_id != payout_id)
        return calls, replace(found, **{name: kept})

    return change


def without_posting(payout_id: UUID, purpose: str) -> Callable[[Story], Story]:
    def change(story: Story) -> Story:
        calls, found = story
        gone = payout_key(payout_id, purpose)
        kept = tuple(each for each in found.transactions if each.key != gone)
        return calls, replace(found, transactions=kept)

    return change


def doubled(name: str, payout_id: UUID, /, **fields: Any) -> Callable[[Story], Story]:
    def change(story: Story) -> Story:
        calls, found = story
        [one] = [each for each in getattr(found, name) if each.payout_id == payout_id]
        both = (*getattr(found, name), replace(one, **fields))
        return calls, replace(found, **{name: both})

    return change


def changed(**fields: Any) -> Callable[[Story], Story]:
    return lambda story: (story[0], replace(story[1], **fields))


def moved_elsewhere(story: Story) -> Story:
    """The capture took from another person's earnings."""
    calls, found = story
    key = payout_key(PAID, "capture")
    new = tuple(
        replace(t, entries=tuple(replace(e, owner_id=ADMIN) for e in t.entries))
        if t.key == key
        else t
        for t in found.transactions
    )
    return calls, replace(found, transactions=new)


def balance(account_id: UUID, balance_minor: int) -> Callable[[Story], Story]:
    def change(story: Story) -> Story:
        calls, found = story
        new = tuple(
            replace(each, balance_minor=balance_minor) if each.account_id == account_id else each
            for each in found.accounts
        )
        return calls, replace(found, accounts=new)

    return change


def answered_otherwise(story: Story) -> Story:
    calls, found = story
    again = replace(calls[0], answer={"payout_id": str(UUID(int=77))})
    return [*calls, again], found


BROKEN: dict[str, list[Callable[[Story], Story]]] = {
    "payouts_are_those_asked_for": [
        payout(PAID, key=Key(ADA, UUID(int=77))),
        payout(PAID, amount_minor=11),
        doubled("payouts", PAID, payout_id=UUID(int=77)),
        answered_otherwise,
    ],
    "payouts_come_to_an_end": [
        payout(PAID, state="sent"),
        payout(PAID, attention="failed, but the payout is settled"),
        changed(steps_left=("payout:1 payout.submit dead",)),
    ],
    "judgements_last": [payout(CANCELLED, state="failed"), without("payouts", CANCELLED)],
    "payouts_are_booked": [
        without_posting(PAID, "clear"),
        without_posting(FAILED, "give_back"),
        without_posting(RETURNED, "take_back"),
        payout(PAID, state="returned"),
        payout(PAID, state="cancelled"),
        moved_elsewhere,
        held(PAID, amount_minor=11),
        held(PAID, captured_minor=0),
        held(CANCELLED, is_open=True),
    ],
    "orders_are_paid_once": [
        doubled("orders", PAID),
        rows("orders", PAID, amounts=frozenset({11})),
        rows("orders", PAID, amounts=frozenset({10, 11})),
        rows("orders", PAID, status="failed"),
        rows("orders", FAILED, status="settled"),
        rows("orders", RETURNED, status="settled"),
        rows("orders", PAID, payout_id=CANCELLED),
        rows("orders", PAID, payout_id=UUID(int=77)),
        without("orders", PAID),
        without("orders", RETURNED),
    ],
    "what_left_was_paid": [
        balance(CLEARING, 20),
        balance(CLEARING, 0),
        balance(PAYOUTS, 10),
        without("orders", PAID),
    ],
}


def test_a_sound_story_has_no_fault() -> None:
    calls, found = story()
    case = Case(tuple(calls), found)
    assert [fault for check in PAYOUT_CHECKS for fault in check(case)] == []


def test_what_payouts_ask_for_is_no_fault_of_the_ledger() -> None:
    """All that is wrong with the story's ledger is that it has no log, and how Ada came by 100."""
    calls, found = story()
    [earned, *_] = found.transactions
    left = [fault for fault in faults(calls, found) if str(earned.transaction_id) not in fault]
    assert {fault.partition(":")[0] for fault in left} == {"every_transaction_has_its_event"}


def test_every_check_has_a_story_that_must_fail() -> None:
    assert set(BROKEN) == {check.__name__ for check in PAYOUT_CHECKS}


@pytest.mark.parametrize(
    ("check", "change"),
    [(check, change) for check, changes in BROKEN.items() for change in changes],
)
def test_what_is_broken_is_found(check: str, change: Callable[[Story], Story]) -> None:
    assert check in {fault.partition(":")[0] for fault in faults(*change(story()))}
