"""The checker finds what it is there for: each row breaks a sound story in one way."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from tests.sim.checker import CHECKS, faults
from tests.sim.evidence import Account, Entry, Evidence, Hold, Transaction
from tests.sim.history import Call, History, Key, Outcome
from tests.sim.payout_checks import PAYOUT_CHECKS

ADA, BO, ADMIN = (UUID(int=number) for number in (1, 2, 3))
WALLET, EARNINGS, FEES, ISSUANCE, PAYOUTS, AVAILABLE = (UUID(int=n) for n in range(11, 17))
OTHER_WALLET, HOLD = UUID(int=17), UUID(int=400)
OWNER = {
    OTHER_WALLET: (BO, "wallet"),
    WALLET: (ADA, "wallet"),
    EARNINGS: (BO, "earnings"),
    AVAILABLE: (BO, "earnings_available"),
    FEES: (None, "fees"),
    ISSUANCE: (None, "issuance"),
    PAYOUTS: (None, "payouts"),
}
BALANCES = {WALLET: 81, EARNINGS: 6, AVAILABLE: 5, FEES: 5, ISSUANCE: -100, PAYOUTS: 3}
Story = tuple[list[Call], Evidence]


def key(number: int, caller: UUID = ADA) -> Key:
    return Key(caller, UUID(int=100 + number))


def transaction(
    number: int, who: Key | None, kind: str, *legs: tuple[UUID, int, int]
) -> Transaction:
    entries = tuple(
        Entry(10 * number + place, account, *OWNER[account], amount, balance)
        for place, (account, amount, balance) in enumerate(legs)
    )
    return Transaction(UUID(int=200 + number), who, kind, entries)


def story() -> Story:
    """Ada is granted 100, and gives Bo 10 twice; a third gift is refused, a fourth unknown and out,
    and of a hold of 8 so far 3 are captured. Of the first gift 4 are refunded, and 5 of Bo's
    earnings mature."""
    history = History()
    gift = {"payer_id": ADA, "payee_id": BO, "price_minor": 10, "count": 1}

    def call(who: Key, operation: str, arguments: Any, outcome: Outcome, **answer: Any) -> None:
        began = history.begin(who, operation, arguments)
        if outcome is not Outcome.UNKNOWN:
            history.end(began, outcome, answer)

    ok = Outcome.OK
    grant = {"user_id": ADA, "amount_minor": 100}
    call(key(0, ADMIN), "grant", grant, ok, transaction_id=str(UUID(int=200)), balance_minor=100)
    for number, balance in ((1, 90), (2, 80)):
        answer = {"transaction_id": str(UUID(int=200 + number)), "balance_minor": balance}
        call(key(number), "gift", gift, ok, **answer)
    call(key(3), "gift", gift | {"count": 100}, Outcome.REFUSED, code="insufficient_funds")
    call(key(4), "gift", gift, Outcome.UNKNOWN)
    call(key(5), "hold", {"amount_minor": 8}, ok)
    call(key(6, ADMIN), "capture", {"hold_id": str(HOLD), "amount_minor": 3}, ok)
    call(key(7, ADMIN), "refund", {"transaction_id": str(UUID(int=201)), "amount_minor": 4}, ok)
    call(key(8, ADMIN), "mature", {}, ok)
    call(key(9, ADMIN), "void", {"hold_id": str(UUID(int=999))}, ok)
    transactions = (
        transaction(0, key(0, ADMIN), "grant", (WALLET, 100, 100), (ISSUANCE, -100, -100)),
        transaction(1, key(1), "gift", (WALLET, -10, 90), (EARNINGS, 7, 7), (FEES, 3, 3)),
        transaction(2, key(2), "gift", (WALLET, -10, 80), (EARNINGS, 7, 14), (FEES, 3, 6)),
        transaction(3, key(6, ADMIN), "payout", (WALLET, -3, 77), (PAYOUTS, 3, 3)),
        transaction(4, key(7, ADMIN), "refund", (WALLET, 4, 81), (EARNINGS, -3, 11), (FEES, -1, 5)),
        transaction(5, None, "maturing", (EARNINGS, -5, 6), (AVAILABLE, 5, 5)),
    )
    balances = dict(BALANCES)
    events = tuple(UUID(int=300 + number) for number in range(len(transactions)))
    return history.calls, Evidence(
        transactions=transactions,
        accounts=tuple(
            Account(account, *OWNER[account], balance, 5 if account == WALLET else 0)
            for account, balance in balances.items()
        ),
        log=tuple(zip(events, (each.transaction_id for each in transactions), strict=True)),
        stream=(*events[:2], *events[1:]),
        effects={(ADA, BO): 20},
        holds=(Hold(HOLD, key(5), WALLET, 8, 3, is_open=True),),
        answered=frozenset({key(9, ADMIN)}),
    )


def test_a_sound_story_has_no_fault() -> None:
    assert faults(*story()) == []


def test_an_unknown_request_may_have_happened() -> None:
    calls, found = story()
    late = transaction(9, key(4), "gift", (WALLET, -10, 71), (EARNINGS, 7, 13), (FEES, 3, 8))
    event = UUID(int=309)
    balances = BALANCES | {WALLET: 71, EARNINGS: 13, FEES: 8}
    found = replace(
        found,
        transactions=(*found.transactions, late),
        accounts=tuple(replace(a, balance_minor=balances[a.account_id]) for a in found.accounts),
        log=(*found.log, (event, late.transaction_id)),
        stream=(*found.stream, event),
        effects={(ADA, BO): 30},
    )
    assert faults(calls, found) == []


def without(number: int) -> Callable[[Story], Story]:
    """A transaction is gone, with all that came of it."""

    def change(story: Story) -> Story:
        calls, found = story
        kept = tuple(each for place, each in enumerate(found.transactions) if place != number)
        return calls, replace(found, transactions=kept)

    return change


def changed(**fields: Callable[[Evidence], Any]) -> Callable[[Story], Story]:
    def change(story: Story) -> Story:
        calls, found = story
        return calls, replace(found, **{name: make(found) for name, make in fields.items()})

    return change


def answered(number: int, **answer: Any) -> Callable[[Story], Story]:
    def change(story: Story) -> Story:
        calls, found = story
        call = calls[number]
        again = replace(call, began=90, ended=91, answer={**call.answer, **answer})
        return [*calls, again], found

    return change


def refused(number: int) -> Callable[[Story], Story]:
    def change(story: Story) -> Story:
        calls, found = story
        calls[number] = replace(calls[number], outcome=Outcome.REFUSED)
        return calls, found

    return change


def with_legs(number: int, *legs: tuple[UUID, int, int]) -> Callable[[Evidence], Any]:
    def change(found: Evidence) -> Any:
        old = found.transactions[number]
        new = transaction(number, old.key, old.kind, *legs)
        return tuple(new if each is old else each for each in found.transactions)

    return change


def with_key(number: int, who: Key | None) -> Callable[[Evidence], Any]:
    return lambda found: tuple(
        replace(each, key=who) if place == number else each
        for place, each in enumerate(found.transactions)
    )


def doubled(found: Evidence) -> Any:
    copy = replace(found.transactions[2], transaction_id=UUID(int=299))
    return (*found.transactions, copy)


def swapped(found: Evidence) -> Any:
    """The two gifts stand in the other order, with balances that fit."""
    one, two = found.transactions[1:3]
    first = replace(one, entries=two.entries)
    second = replace(two, entries=one.entries)
    return (found.transactions[0], first, second, *found.transactions[3:])


def account(account_id: UUID, **fields: Any) -> Callable[[Evidence], Any]:
    return lambda found: tuple(
        replace(each, **fields) if each.account_id == account_id else each
        for each in found.accounts
    )


def hold(**fields: Any) -> Callable[[Evidence], Any]:
    return lambda found: tuple(replace(each, **fields) for each in found.holds)


BROKEN: dict[str, list[Callable[[Story], Story]]] = {
    "acknowledged_are_there": [
        without(1),
        without(0),
        changed(holds=lambda _: ()),
        changed(answered=lambda _: frozenset()),
    ],
    "answers_are_true": [
        answered(1, transaction_id=str(UUID(int=777))),
        answered(1, balance_minor=91),
    ],
    "none_is_there_twice": [
        changed(transactions=doubled),
        changed(transactions=lambda found: (*found.transactions, found.transactions[1])),
        changed(holds=lambda found: found.holds * 2),
    ],
    "refused_are_not_there": [refused(1), refused(5), refused(9)],
    "nothing_is_there_unasked": [
        changed(transactions=with_key(2, None)),
        changed(transactions=with_key(2, key(99))),
        changed(holds=hold(key=None)),
    ],
    "transactions_follow_the_model": [
        changed(transactions=with_legs(1, (WALLET, -10, 90), (EARNINGS, 8, 8), (FEES, 3, 3))),
        changed(transactions=with_legs(1, (WALLET, -9, 91), (EARNINGS, 6, 6), (FEES, 3, 3))),
        changed(transactions=with_legs(1, (WALLET, -10, 90), (EARNINGS, 10, 10))),
        changed(transactions=with_legs(3, (WALLET, -2, 78), (PAYOUTS, 2, 2))),
        changed(transactions=with_legs(4, (WALLET, 5, 82), (EARNINGS, -4, 10), (FEES, -1, 5))),
        changed(transactions=with_legs(5, (EARNINGS, -5, 6), (WALLET, 5, 86))),
    ],
    "refunds_stay_below_their_gifts": [
        changed(
            transactions=with_legs(4, (WALLET, 11, 88), (EARNINGS, -8, 6), (FEES, -3, 3)),
        ),
        changed(
            transactions=with_legs(4, (OTHER_WALLET, 4, 4), (EARNINGS, -3, 11), (FEES, -1, 5)),
        ),
    ],
    "balances_follow_the_entries": [
        changed(accounts=account(WALLET, balance_minor=80)),
        changed(transactions=with_legs(1, (WALLET, -10, 91), (EARNINGS, 7, 7), (FEES, 3, 3))),
        changed(transactions=with_legs(1, (WALLET, -110, -10), (EARNINGS, 77, 77), (FEES, 33, 33))),
        changed(accounts=lambda found: found.accounts[1:]),
    ],
    "time_is_kept": [changed(transactions=swapped)],
    "every_event_is_in_the_stream": [
        changed(stream=lambda found: found.stream[1:]),
        changed(stream=lambda found: (*found.stream, UUID(int=999))),
        changed(stream=lambda found: found.stream[::-1]),
    ],
    "every_transaction_has_its_event": [
        changed(log=lambda found: found.log[1:], stream=lambda found: found.stream[1:]),
        changed(log=lambda found: (*found.log, (UUID(int=998), found.log[0][1]))),
        changed(log=lambda found: (*found.log, (UUID(int=998), UUID(int=997)))),
        changed(log=lambda found: (*found.log, found.log[0])),
    ],
    "effects_are_those_of_the_ledger": [
        changed(effects=lambda _: {(ADA, BO): 30}),
        changed(effects=lambda _: {(ADA, BO): 10}),
        changed(effects=lambda _: {}),
        changed(effects=lambda found: {**found.effects, (BO, ADA): 1}),
    ],
    "holds_add_up": [
        changed(accounts=account(WALLET, held_minor=0)),
        changed(holds=hold(captured_minor=9)),
        changed(holds=hold(captured_minor=4), accounts=account(WALLET, held_minor=4)),
        changed(holds=hold(is_open=False)),
        changed(accounts=account(WALLET, held_minor=82), holds=hold(amount_minor=85)),
    ],
}


def test_every_check_has_a_story_that_must_fail() -> None:
    assert set(BROKEN) == {check.__name__ for check in set(CHECKS) - set(PAYOUT_CHECKS)}


@pytest.mark.parametrize(
    ("check", "change"),
    [(check, change) for check, changes in BROKEN.items() for change in changes],
)
def test_what_is_broken_is_found(check: str, change: Callable[[Story], Story]) -> None:
    assert check in {fault.partition(":")[0] for fault in faults(*change(story()))}
