"""Decimals: no digit is lost and none is invented."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.decimals import major, minor


@pytest.mark.parametrize(
    ("amount", "scale", "text"),
    [
        (150, 2, "1.50"),
        (5, 2, "0.05"),
        (0, 2, "0.00"),
        (-5, 2, "-0.05"),
        (-1234, 3, "-1.234"),
        (7, 0, "7"),
        (-7, 0, "-7"),
    ],
)
def test_known_amounts(amount, scale, text):
    assert major(amount, scale) == text
    assert minor(text, scale) == amount


def test_a_plus_where_it_is_wanted():
    assert (major(5, 0, signed=True), major(0, 0, signed=True), major(-5, 0, signed=True)) == (
        "+5",
        "0",
        "-5",
    )


@given(st.integers(-(2**63) + 1, 2**63 - 1), st.integers(0, 18), st.booleans())
def test_what_is_written_is_read(amount, scale, signed):
    assert minor(major(amount, scale, signed=signed), scale) == amount


def test_fewer_digits_and_zeros_beyond_the_scale_are_fine():
    assert minor("1.5", 2) == 150
    assert minor("1.5000", 2) == 150
    assert minor("3", 2) == 300


@pytest.mark.parametrize(
    "text",
    ["", ".", "1.", ".5", "1,5", "1e3", "--1", " 1", "1 ", "NaN", "Infinity", "٣", "1_0", "1.005"],
)
def test_what_is_no_decimal_is_refused(text):
    with pytest.raises(ValueError):
        minor(text, 2)


@pytest.mark.parametrize("text", ["9223372036854775808", "9" * 40])
def test_what_no_balance_can_hold_is_refused(text):
    with pytest.raises(ValueError, match="too large"):
        minor(text, 0)
