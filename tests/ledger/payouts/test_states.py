"""The table of a payout's life, alone and as the database has it."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ledger.payouts.states import OPEN, SHOWN, TRANSITIONS, PayoutAction, PayoutState

S, A = PayoutState, PayoutAction
BEFORE_IT_IS_SENT = {S.REQUESTED, S.REVIEW, S.APPROVED, S.HELD}


def test_every_state_has_a_row_and_every_action_a_use():
    assert set(TRANSITIONS) == set(S)
    assert {action for row in TRANSITIONS.values() for action in row} == set(A)
    ends = {state for state, row in TRANSITIONS.items() if not row}
    assert ends == {S.FAILED, S.RETURNED, S.CANCELLED, S.REJECTED}
    assert set(S) - OPEN == ends | {S.SETTLED}


def test_it_is_cancelled_only_before_it_is_sent():
    for state, row in TRANSITIONS.items():
        assert (A.CANCEL in row) == (state in BEFORE_IT_IS_SENT)


def test_a_review_is_not_told_of():
    assert set(SHOWN) == set(S)
    assert SHOWN[S.REVIEW] == SHOWN[S.REQUESTED] == SHOWN[S.HELD]


async def test_the_database_knows_the_same_moves(pool):
    rows = await pool.fetch("SELECT from_state, to_state FROM ledger.payout_moves")
    moves = {(state, to) for state, row in TRANSITIONS.items() for to in row.values()}
    assert {tuple(row) for row in rows} == moves
    definition = await pool.fetchval(
        "SELECT indexdef FROM pg_indexes WHERE indexname = 'one_open_payout'"
    )
    assert {state for state in S if f"'{state}'" in definition} == OPEN


class Life(RuleBasedStateMachine):
    """Any actions in any order: what must hold of every life."""

    def __init__(self):
        super().__init__()
        self.state = S.REQUESTED
        self.past = [S.REQUESTED]

    @precondition(lambda self: not TRANSITIONS[self.state])
    @rule()
    def begin_another(self):
        self.state = S.REQUESTED
        self.past = [S.REQUESTED]

    @precondition(lambda self: TRANSITIONS[self.state])
    @rule(data=st.data())
    def act(self, data):
        action = data.draw(st.sampled_from(sorted(TRANSITIONS[self.state])))
        self.state = TRANSITIONS[self.state][action]
        self.past.append(self.state)

    @invariant()
    def nothing_is_sent_that_was_not_approved_and_held(self):
        if S.SENDING in self.past:
            first = self.past.index(S.SENDING)
            assert S.APPROVED in self.past[:first]
            assert self.past[first - 1] is S.HELD

    @invariant()
    def nothing_is_paid_that_was_not_captured(self):
        if {S.SENT, S.SETTLED, S.RETURNED} & set(self.past):
            assert S.CAPTURED in self.past

    @invariant()
    def it_is_captured_and_settled_at_most_once(self):
        assert self.past.count(S.CAPTURED) <= 1
        assert self.past.count(S.SETTLED) <= 1

    @invariant()
    def what_was_captured_is_never_cancelled(self):
        assert S.CAPTURED not in self.past or self.state not in (S.CANCELLED, S.REJECTED)


TestLife = Life.TestCase
