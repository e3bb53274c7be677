from ledger.purchases.states import TRANSITIONS, PurchaseAction, PurchaseState


def test_every_state_has_a_row_and_every_action_a_use():
    assert set(TRANSITIONS) == set(PurchaseState)
    assert {action for row in TRANSITIONS.values() for action in row} == set(PurchaseAction)


def test_what_is_credited_is_never_refunded_here():
    assert TRANSITIONS[PurchaseState.CREDITED] == {}
