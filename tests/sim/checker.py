"""Judges a history against what was found afterwards, as Jepsen's checkers do. Pure.

Every check takes a `Case` and yields one sentence a fault. What must hold:

- a posting that was acknowledged is in the ledger, with the answer that was given, each time
- a request is in the ledger at most once, whether it was acknowledged or is unknown
- a request that was refused, and never acknowledged, is not in the ledger
- nothing is in the ledger that nobody asked for
- what a transaction moved is what the model says, and sums to zero
- entries lead from balance to balance, none below zero, and end at the account's balance
- what was acknowledged before another request began stands before it in their account
- every committed event is in the stream at least once, in order, and nothing else is
- a reader's sums are those of the ledger: each event had effect once
- a hold is in the ledger as requests are, and what is held is the sum of the open holds
- payouts: see payout_checks
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from uuid import UUID

from tests.sim.case import Case
from tests.sim.evidence import Evidence
from tests.sim.history import Call, Key, Outcome
from tests.sim.model import GAINER, LEGS, UNASKED, UNRECORDED, gained, payout_key
from tests.sim.payout_checks import PAYOUT_CHECKS


def acknowledged_are_there(case: Case) -> Iterator[str]:
    for key, request in case.requests.items():
        if request.operation in UNRECORDED or request.outcome is not Outcome.OK:
            continue
        if key not in case.trace(request.operation):
            yield f"{request.operation} {key.request_id} was acknowledged and is lost"


def answers_are_true(case: Case) -> Iterator[str]:
    for key, request in case.requests.items():
        named = {answer.get("transaction_id") for answer in request.answers} - {None}
        if len(named) > 1:
            yield f"{request.operation} {key.request_id} was answered in {len(named)} ways"
        posted = {str(each.transaction_id) for each in case.found.get(key, ())}
        if posted and named and not named <= posted:
            yield f"{request.operation} {key.request_id} was answered with another transaction"
        for answer in request.answers:
            if "balance_minor" in answer and not _balance_is(case, key, answer["balance_minor"]):
                yield f"{request.operation} {key.request_id} was answered with a wrong balance"


def _balance_is(case: Case, key: Key, balance_minor: int) -> bool:
    wallets = [
        entry.balance_minor
        for transaction in case.found.get(key, ())
        for entry in transaction.entries
        if entry.code == "wallet"
    ]
    return not wallets or balance_minor in wallets


def none_is_there_twice(case: Case) -> Iterator[str]:
    for key, transactions in case.found.items():
        if len(transactions) > 1:
            yield f"request {key.request_id} was posted {len(transactions)} times"
    for key, times in Counter(h.key for h in case.evidence.holds if h.key is not None).items():
        if times > 1:
            yield f"request {key.request_id} is held {times} times"
    ids = Counter(transaction.transaction_id for transaction in case.evidence.transactions)
    yield from (f"transaction {each} is there {n} times" for each, n in ids.items() if n > 1)


def refused_are_not_there(case: Case) -> Iterator[str]:
    for key, request in case.requests.items():
        if request.outcome is Outcome.REFUSED and key in case.happened:
            yield f"{request.operation} {key.request_id} was refused and is there"


def nothing_is_there_unasked(case: Case) -> Iterator[str]:
    asked = case.requests.keys() | case.asked_by_payouts
    for transaction in case.evidence.transactions:
        if transaction.key not in asked and transaction.kind not in UNASKED:
            yield f"transaction {transaction.transaction_id} was asked for by nobody"
    for hold in case.evidence.holds:
        if hold.key not in asked:
            yield f"hold {hold.hold_id} was asked for by nobody"


def transactions_follow_the_model(case: Case) -> Iterator[str]:
    for transaction in case.evidence.transactions:
        if sum(entry.amount_minor for entry in transaction.entries):
            yield f"transaction {transaction.transaction_id} does not sum to zero"
        if transaction.key in case.asked_by_payouts:
            continue
        request = case.requests.get(transaction.key) if transaction.key is not None else None
        if request is None:
            if len({entry.owner_id for entry in transaction.entries}) > 1:
                yield f"transaction {transaction.transaction_id} moved between people by itself"
            continue
        moved, arguments = transaction.legs(), request.arguments
        if legs_of := LEGS.get(request.operation):
            if moved != legs_of(arguments):
                yield f"transaction {transaction.transaction_id} moved {moved}: {arguments}"
        elif gained(moved, GAINER[request.operation]) != (
            arguments["amount_minor"] or gained(moved, GAINER[request.operation])
        ):
            yield f"transaction {transaction.transaction_id} moved {moved}: {arguments}"


def refunds_stay_below_their_gifts(case: Case) -> Iterator[str]:
    """Of a gift at most all is taken back, over all refunds together, and it goes to its payer."""
    gifts = {str(each.transaction_id): each for each in case.evidence.transactions}
    taken: Counter[str] = Counter()
    for request in case.requests.values():
        if request.operation != "refund":
            continue
        gift = request.arguments["transaction_id"]
        if gift not in gifts:
            yield f"gift {gift}, of which something was asked back, is not there"
            continue
        [payer] = [e.owner_id for e in gifts[gift].entries if e.code == "wallet"]
        for refund in case.found.get(request.key, ()):
            moved = refund.legs()
            taken[gift] += gained(moved, "wallet")
            if gained(moved, "wallet") != moved.get((payer, "wallet"), 0):
                yield f"refund {refund.transaction_id} went to another wallet than the payer's"
    for gift, amount in taken.items():
        if amount > -gained(gifts[gift].legs(), "wallet"):
            yield f"of gift {gift} {amount} was taken back"


def balances_follow_the_entries(case: Case) -> Iterator[str]:
    for account in case.evidence.accounts:
        balance = 0
        for entry, _ in case.entries.get(account.account_id, ()):
            balance += entry.amount_minor
            if entry.balance_minor != balance:
                yield f"entry {entry.order} says {entry.balance_minor}, those before it {balance}"
            if entry.balance_minor < 0 and entry.code not in case.evidence.unguarded:
                yield f"entry {entry.order} leaves {entry.code} at {entry.balance_minor}"
            balance = entry.balance_minor
        if account.balance_minor != balance:
            said = account.balance_minor
            yield f"account {account.account_id} says {said}, its entries {balance}"
    known = {account.account_id for account in case.evidence.accounts}
    yield from (f"account {each} has entries and is gone" for each in case.entries.keys() - known)


def time_is_kept(case: Case) -> Iterator[str]:
    """What was acknowledged before another request began is before it in a wallet."""
    for entries in case.entries.values():
        newest_began = 0
        for entry, transaction in entries:
            request = case.requests.get(transaction.key) if transaction.key is not None else None
            if entry.code != "wallet" or request is None:
                continue
            if request.acknowledged is not None and request.acknowledged < newest_began:
                yield f"entry {entry.order} stands behind one that began after it was acknowledged"
            newest_began = max(newest_began, request.began)


def every_event_is_in_the_stream(case: Case) -> Iterator[str]:
    committed = [event_id for event_id, _ in case.evidence.log]
    seen = list(dict.fromkeys(case.evidence.stream))
    yield from (f"event {each} never reached the stream" for each in set(committed) - set(seen))
    yield from (f"event {each} was never committed" for each in set(seen) - set(committed))
    if not set(committed) ^ set(seen) and committed != seen:
        yield "events reached the stream in another order than that of the log"


def every_transaction_has_its_event(case: Case) -> Iterator[str]:
    told = Counter(transaction_id for _, transaction_id in case.evidence.log)
    for transaction in case.evidence.transactions:
        if told[transaction.transaction_id] != 1:
            times = told[transaction.transaction_id]
            yield f"transaction {transaction.transaction_id} has {times} events"
    known = {transaction.transaction_id for transaction in case.evidence.transactions}
    for transaction_id in told.keys() - known - {None}:
        yield f"an event tells of transaction {transaction_id}, which is not there"
    ids = Counter(event_id for event_id, _ in case.evidence.log)
    yield from (f"event {each} was committed {n} times" for each, n in ids.items() if n > 1)


def effects_are_those_of_the_ledger(case: Case) -> Iterator[str]:
    wanted: Counter[tuple[UUID, UUID]] = Counter()
    for key in case.found:
        request = case.requests.get(key)
        if request is not None and request.operation == "gift":
            arguments = request.arguments
            pair = arguments["payer_id"], arguments["payee_id"]
            wanted[pair] += arguments["price_minor"] * arguments["count"]
    for pair in wanted.keys() | case.evidence.effects.keys():
        counted = case.evidence.effects.get(pair, 0)
        if wanted[pair] != counted:
            yield f"the reader counted {counted} for {pair}, not {wanted[pair]}"


def holds_add_up(case: Case) -> Iterator[str]:
    held: Counter[UUID] = Counter()
    captured: Counter[str] = Counter()
    for request in case.requests.values():
        if request.operation == "capture":
            for transaction in case.found.get(request.key, ()):
                captured[request.arguments["hold_id"]] += gained(transaction.legs(), "payouts")
    for payout in case.evidence.payouts:
        for transaction in case.found.get(payout_key(payout.payout_id, "capture"), ()):
            captured[str(payout.hold_id)] += gained(transaction.legs(), "payouts")
    for hold in case.evidence.holds:
        if not 0 <= hold.captured_minor <= hold.amount_minor:
            yield f"hold {hold.hold_id} of {hold.amount_minor} has {hold.captured_minor} captured"
        if hold.captured_minor != captured[str(hold.hold_id)]:
            wanted = captured[str(hold.hold_id)]
            yield f"hold {hold.hold_id} has {hold.captured_minor} captured, not {wanted}"
        if hold.is_open:
            held[hold.account_id] += hold.amount_minor - hold.captured_minor
    for account in case.evidence.accounts:
        if account.held_minor != held[account.account_id]:
            total = held[account.account_id]
            yield f"account {account.account_id} holds {account.held_minor}, not {total}"
        if (
            account.code not in case.evidence.unguarded
            and account.balance_minor < account.held_minor
        ):
            yield f"account {account.account_id} holds more than its {account.balance_minor}"


CHECKS: tuple[Callable[[Case], Iterable[str]], ...] = (
    acknowledged_are_there,
    answers_are_true,
    none_is_there_twice,
    refused_are_not_there,
    nothing_is_there_unasked,
    transactions_follow_the_model,
    refunds_stay_below_their_gifts,
    balances_follow_the_entries,
    time_is_kept,
    every_event_is_in_the_stream,
    every_transaction_has_its_event,
    effects_are_those_of_the_ledger,
    holds_add_up,
    *PAYOUT_CHECKS,
)


def faults(calls: Iterable[Call], evidence: Evidence) -> list[str]:
    """Everything that is wrong; empty where nothing is."""
    case = Case(tuple(calls), evidence)
    return [f"{check.__name__}: {fault}" for check in CHECKS for fault in check(case)]
