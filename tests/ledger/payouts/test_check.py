import pytest

from ledger.payouts.check import Verdict


def test_a_verdict_stays_as_it_was_given():
    verdict = Verdict(False, "There is an open alert.")
    with pytest.raises(AttributeError):
        verdict.is_clear = True
    assert Verdict(True).reason == ""
