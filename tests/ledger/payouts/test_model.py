"""Random histories of payouts on a real PostgreSQL: no coin is lost, none is paid twice."""

from contextlib import suppress
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.errors import LedgerRefusal
from ledger.payouts.provider import Refused
from ledger.payouts.results import ResultSource
from ledger.payouts.states import OPEN
from tests.support.payout_house import SAGAS, House, result

ADMIN = uuid4()
EARNED = 10_000
WHO = st.integers(0, 1)
SOURCES = st.sampled_from(ResultSource)
RESULTS = st.tuples(
    st.just("result"),
    WHO,
    st.sampled_from(["settled", "failed", "returned"]),
    st.sampled_from([0, 0, 0, 1]),
    SOURCES,
)
OPERATION = st.one_of(
    RESULTS,
    st.tuples(st.just("ask"), WHO, st.sampled_from([1_000, 4_000, 10_000])),
    st.tuples(st.sampled_from(["cancel", "flag", "approve", "reject", "suspect"]), WHO),
    st.tuples(st.sampled_from(["refuse", "lose", "expire", "wait"])),
    RESULTS,
)
HISTORY = st.lists(st.tuples(OPERATION, st.booleans()), min_size=6, max_size=24)
"""Operations, and whether the steps that are due are done after each."""


async def act(house, users, last, operation):
    """Carry out one operation, whatever is answered."""
    kind, *rest = operation
    if kind == "ask":
        last[rest[0]] = await house.ask(users[rest[0]], rest[1])
    elif kind == "refuse":
        house.bank.answers = [Refused("No.")]
    elif kind == "lose":
        house.bank.lost_answers = [TimeoutError()]
    elif kind == "expire":
        house.books.expire()
    elif kind == "wait":
        house.clock.advance(SAGAS.longest_backoff_s)
    elif kind == "suspect":
        house.watch.suspects ^= {users[rest[0]]}
    elif rest[0] in last:
        payout = await house.store.get(last[rest[0]].payout_id)
        if kind == "cancel":
            await house.service.cancel(payout.user_id, payout.payout_id)
        elif kind == "result":
            _, status, off_by, source = rest
            said = result(payout, status, "why", amount_minor=payout.amount_minor + off_by)
            await house.settlement.record(said, source, ADMIN)
        else:
            await getattr(house.service, kind)(payout.payout_id, ADMIN, "Why.")


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history=HISTORY, by_hand=st.booleans())
async def test_no_coin_is_lost_and_none_is_paid_twice(database, clock, history, by_hand):
    house = House(database, clock, automatic=True)
    users, last = [house.user(EARNED) for _ in range(2)], {}
    house.watch.suspects = {users[0]} if by_hand else set()
    for who in (0, 1):
        await act(house, users, last, ("ask", who, 4_000))
    for operation, steps in history:
        with suppress(LedgerRefusal):
            await act(house, users, last, operation)
        if steps:
            await house.settle()
        assert house.books.total == 2 * EARNED
    house.bank.answers, house.bank.lost_answers = [], []
    for _ in range(SAGAS.most_attempts + 1):
        await house.settle()
        clock.advance(SAGAS.longest_backoff_s)
    await the_end_is_sound(house, users)


async def the_end_is_sound(house, users):
    """What must hold once all steps are done."""
    on_the_way = paid = 0
    for user in users:
        payouts = (await house.service.of_user(user, None, 100)).payouts
        assert sum(payout.state in OPEN for payout in payouts) <= 1
        kept_back = 0
        for payout in payouts:
            events = [event.data.TYPE for event in await house.store.history(payout.payout_id)]
            assert len(events) == payout.version
            assert events.count("payout.captured") <= 1
            assert events.count("payout.settled") <= 1
            on_the_way += payout.amount_minor * (payout.state in ("captured", "sent"))
            paid += payout.amount_minor * (payout.state == "settled")
            kept_back += payout.amount_minor * (
                payout.state in ("held", "captured", "sent", "settled")
                or (payout.state == "review" and payout.hold_id in house.books.held)
            )
        assert house.books.available[user] in (
            EARNED - kept_back,
            # A hold that has ended by itself keeps nothing back.
            EARNED - kept_back + sum(p.amount_minor for p in payouts if p.state == "held"),
        )
    assert (house.books.on_the_way, house.books.paid) == (on_the_way, paid)
