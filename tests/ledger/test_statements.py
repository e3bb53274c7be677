"""Pages of a statement: what a cursor and a limit may be."""

import pytest

from ledger.errors import InvalidPage
from ledger.statements import MAX_LINES, NEWEST, Page, page


def test_no_cursor_begins_at_the_newest():
    assert page(None, 20) == Page(NEWEST, 20)


def test_a_cursor_goes_on_below_it():
    assert page("17", MAX_LINES) == Page(17, MAX_LINES)


@pytest.mark.parametrize("limit", [0, -1, MAX_LINES + 1, 2**64])
def test_the_limit_is_bounded(limit):
    with pytest.raises(InvalidPage) as caught:
        page(None, limit)
    assert caught.value.field == "limit"


@pytest.mark.parametrize("cursor", ["", "-1", "1.5", "x", " 1", "1 ", "+1", "²", "٣", "9" * 19])
def test_a_cursor_of_somebody_elses_making_is_refused(cursor):
    with pytest.raises(InvalidPage) as caught:
        page(cursor, 10)
    assert caught.value.field == "cursor"
