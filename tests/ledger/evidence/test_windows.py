"""Ranges of batches, and what they leave of windows."""

import pytest

from ledger.evidence.windows import FIRST, LAST, Range, Window, within

WINDOWS = [Window(FIRST, 5, 10), Window(5, 9, 20), Window(9, 12, 30)]


def test_a_range_that_is_open_has_no_ends():
    assert Range().whole
    assert (Range().after, Range().until) == (FIRST, LAST)
    assert not Range(first=0).whole
    assert not Range(last=0).whole


def test_both_ends_of_a_range_are_in_it():
    batches = Range(first=6, last=9)
    assert (batches.after, batches.until) == (5, 9)
    assert list(within(WINDOWS, batches)) == [Window(5, 9, 20)]


@pytest.mark.parametrize(
    ("batches", "ends"),
    [
        (Range(), [(FIRST, 5), (5, 9), (9, 12)]),
        (Range(first=5), [(4, 5), (5, 9), (9, 12)]),
        (Range(first=6, last=10), [(5, 9), (9, 10)]),
        (Range(first=7, last=7), [(6, 7)]),
        (Range(first=13), []),
        (Range(first=8, last=7), []),
    ],
)
def test_windows_are_cut_to_the_range(batches, ends):
    assert [(window.after, window.until) for window in within(WINDOWS, batches)] == ends
