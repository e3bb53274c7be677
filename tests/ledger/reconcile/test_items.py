"""What a tolerance allows when nothing is said."""

from ledger.reconcile.items import Tolerance


def test_amounts_must_be_equal_unless_something_else_is_said():
    assert Tolerance() == Tolerance(amount_minor=0, days=3, group=8)
