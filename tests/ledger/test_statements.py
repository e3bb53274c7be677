"""Pages of a statement: what a cursor, a limit and a period may be."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidPage
from ledger.statements import ALWAYS, BEGINNING, END, MAX_LINES, Page, Period, Place, page

JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)


def test_no_cursor_begins_at_the_newest():
    assert page(None, 20) == Page(ALWAYS, Place(END, -1), 20)
    period = Period(JANUARY, FEBRUARY)
    assert page(None, 20, period) == Page(period, Place(FEBRUARY, -1), 20)


@given(st.datetimes(datetime(1970, 1, 1), datetime(9000, 1, 1)), st.integers(0, 10**17))
def test_a_cursor_goes_on_below_it(at, entry_id):
    place = Place(at.replace(tzinfo=UTC), entry_id)
    assert page(place.cursor(), MAX_LINES).before == place


def test_a_cursor_never_leads_out_of_the_period():
    period = Period(JANUARY, FEBRUARY)
    late = Place(FEBRUARY + timedelta(days=1), 5).cursor()
    assert page(late, 10, period).before == Place(FEBRUARY, -1)


def test_a_period_may_be_open_and_must_not_be_empty():
    assert (Period().first, Period().end) == (BEGINNING, END)
    for begins_at, ends_at in ((FEBRUARY, JANUARY), (JANUARY, JANUARY)):
        with pytest.raises(InvalidPage) as caught:
            page(None, 10, Period(begins_at, ends_at))
        assert caught.value.field == "to"


@pytest.mark.parametrize("limit", [0, -1, MAX_LINES + 1, 2**64])
def test_the_limit_is_bounded(limit):
    with pytest.raises(InvalidPage) as caught:
        page(None, limit)
    assert caught.value.field == "limit"


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "-1",
        "1.5",
        "x",
        "17",
        "1-",
        "-",
        " 1-1",
        "1-1 ",
        "+1-1",
        "²-1",
        "٣-٣",
        "9" * 19 + "-1",
        "9" * 18 + "-1",
    ],
)
def test_a_cursor_of_somebody_elses_making_is_refused(cursor):
    with pytest.raises(InvalidPage) as caught:
        page(cursor, 10)
    assert caught.value.field == "cursor"
