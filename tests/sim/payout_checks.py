"""What must hold of payouts after everything that broke, from the wish to the bank. Pure.

- a payout that was acknowledged is there, once, and no other is
- it has come to an end, with no step left over and nothing for a person to look at
- what a user took back, or an admin refused, stayed so
- its postings and its hold are those that its end calls for
- the bank was asked for it under one key, for its amount, and has paid it at most once
- what left the books is what the bank has paid
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from tests.sim.case import Case
from tests.sim.evidence import Payout
from tests.sim.history import Outcome
from tests.sim.model import BOOKED, gained, payout_key

POSTED: Mapping[str, tuple[frozenset[str], ...]] = {
    "settled": (frozenset({"capture", "clear"}),),
    "returned": (frozenset({"capture", "clear", "take_back"}),),
    "failed": (frozenset(), frozenset({"capture", "give_back"})),
    "cancelled": (frozenset(),),
    "rejected": (frozenset(),),
}
"""Sets of postings that a payout may have, by where it ended."""

ENDED: Mapping[str, frozenset[str]] = {
    "settled": frozenset({"settled"}),
    "returned": frozenset({"returned"}),
    "failed": frozenset({"failed"}),
    "refused": frozenset({"failed"}),
}
"""How a payout may have ended, by what the bank made of it."""

LASTING: Mapping[str, str] = {"payout_cancel": "cancelled", "payout_reject": "rejected"}
"""Where a payout stays once this was acknowledged."""


def payouts_are_those_asked_for(case: Case) -> Iterator[str]:
    for key, payouts in case.payouts.items():
        request = case.requests.get(key)
        if request is None or request.operation != "payout":
            yield f"payout {payouts[0].payout_id} was asked for by nobody"
            continue
        if len(payouts) > 1:
            yield f"payout request {key.request_id} is there {len(payouts)} times"
        if any(each.amount_minor != request.arguments["amount_minor"] for each in payouts):
            yield f"payout request {key.request_id} is there with another amount"
        ids = {str(each.payout_id) for each in payouts}
        for answer in request.answers:
            if answer["payout_id"] not in ids:
                yield f"payout request {key.request_id} was answered with another payout"


def payouts_come_to_an_end(case: Case) -> Iterator[str]:
    for payout in case.evidence.payouts:
        if payout.state not in POSTED:
            yield f"payout {payout.payout_id} is {payout.state} for good"
        if payout.attention is not None:
            yield f"payout {payout.payout_id} waits for a person: {payout.attention}"
    yield from (f"a step is left over: {step}" for step in case.evidence.steps_left)


def judgements_last(case: Case) -> Iterator[str]:
    states = {str(payout.payout_id): payout.state for payout in case.evidence.payouts}
    for request in case.requests.values():
        wanted = LASTING.get(request.operation)
        if wanted is not None and request.outcome is Outcome.OK:
            state = states.get(request.arguments["payout_id"])
            if state != wanted:
                yield f"payout {request.arguments['payout_id']} was {wanted} and is {state}"


def payouts_are_booked(case: Case) -> Iterator[str]:
    for payout in case.evidence.payouts:
        posted = set()
        for purpose, legs_of in BOOKED.items():
            for transaction in case.found.get(payout_key(payout.payout_id, purpose), ()):
                posted.add(purpose)
                if transaction.legs() != legs_of(payout.key.caller_id, payout.amount_minor):
                    yield f"payout {payout.payout_id}: {purpose} moved {transaction.legs()}"
        allowed = POSTED.get(payout.state)
        if allowed is not None and posted not in allowed:
            yield f"payout {payout.payout_id} is {payout.state} with postings {sorted(posted)}"
        yield from _hold_faults(case, payout)


def _hold_faults(case: Case, payout: Payout) -> Iterator[str]:
    """Of its hold: for its amount, and ended like the payout."""
    capture = payout_key(payout.payout_id, "capture")
    captured_minor = payout.amount_minor if capture in case.found else 0
    for hold in case.evidence.holds:
        if hold.key == payout_key(payout.payout_id, "hold"):
            if hold.amount_minor != payout.amount_minor or hold.captured_minor != captured_minor:
                yield (
                    f"payout {payout.payout_id} of {payout.amount_minor} holds"
                    f" {hold.amount_minor}, of which {hold.captured_minor} are captured"
                )
            if hold.is_open and payout.state in POSTED:
                yield f"payout {payout.payout_id} is {payout.state} and still holds"


def orders_are_paid_once(case: Case) -> Iterator[str]:
    payouts = {payout.payout_id: payout for payout in case.evidence.payouts}
    keys = Counter(order.payout_id for order in case.evidence.orders)
    yield from (f"payout {each} was ordered under {n} keys" for each, n in keys.items() if n > 1)
    for order in case.evidence.orders:
        payout = payouts.get(order.payout_id)
        if payout is None:
            yield f"the bank was asked to pay {order.payout_id}, which is no payout"
        elif order.amounts != {payout.amount_minor}:
            yield f"payout {payout.payout_id}: the bank was asked for {sorted(order.amounts)}"
        elif payout.state not in ENDED[order.status]:
            yield f"payout {payout.payout_id} is {payout.state}, at the bank {order.status}"
    for payout in payouts.values():
        if payout.state in ("settled", "returned") and payout.payout_id not in keys:
            yield f"payout {payout.payout_id} is {payout.state}, and the bank never heard of it"


def what_left_was_paid(case: Case) -> Iterator[str]:
    paid = sum(max(o.amounts) for o in case.evidence.orders if o.status == "settled")
    captured = sum(
        gained(transaction.legs(), "payouts")
        for request in case.requests.values()
        if request.operation == "capture"
        for transaction in case.found.get(request.key, ())
    )
    books: Counter[str] = Counter()
    for account in case.evidence.accounts:
        books[account.code] += account.balance_minor
    if books["payment_clearing"] != paid:
        yield f"{books['payment_clearing']} left the books, and the bank paid {paid}"
    if books["payouts"] != captured:
        yield f"{books['payouts']} are on their way for good, of which {captured} are no payouts"


PAYOUT_CHECKS: tuple[Callable[[Case], Iterable[str]], ...] = (
    payouts_are_those_asked_for,
    payouts_come_to_an_end,
    judgements_last,
    payouts_are_booked,
    orders_are_paid_once,
    what_left_was_paid,
)
