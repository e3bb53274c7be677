"""Amounts and how they are shared out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.money import Split, is_amount, split_fee


@pytest.mark.parametrize("value", [1, 7, 100])
def test_integers_within_the_range_are_amounts(value):
    assert is_amount(value, at_most=100)


@pytest.mark.parametrize(
    "value", [0, -1, 101, 2**63, 2**64, True, False, 1.0, 1.5, "1", None, [1], float("nan")]
)
def test_everything_else_is_none(value):
    assert not is_amount(value, at_most=100)


@pytest.mark.parametrize(
    ("total", "basis_points", "split"),
    [
        (20, 3000, Split(6, 14)),
        (1, 3000, Split(0, 1)),
        (1, 9999, Split(0, 1)),
        (3, 5000, Split(1, 2)),
        (10, 0, Split(0, 10)),
        (10, 10_000, Split(10, 0)),
    ],
)
def test_the_fee_is_rounded_in_the_streamers_favour(total, basis_points, split):
    assert split_fee(total, basis_points) == split


@given(st.integers(1, 10**15), st.integers(0, 10_000))
def test_nothing_is_lost_and_the_fee_is_never_above_its_share(total, basis_points):
    split = split_fee(total, basis_points)
    assert split.fee_minor + split.earnings_minor == total
    assert 0 <= total * basis_points - split.fee_minor * 10_000 < 10_000
