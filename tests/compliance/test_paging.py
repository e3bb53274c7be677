"""Pages and their cursors."""

import pytest

from compliance.errors import InvalidField
from compliance.paging import MAX_LIMIT, Page, PageRequest
from tests.support.gifts import account


@pytest.mark.parametrize("limit", [0, -1, MAX_LIMIT + 1])
def test_a_limit_out_of_bounds_is_refused(limit: int) -> None:
    with pytest.raises(InvalidField) as refusal:
        PageRequest.parse(None, limit)
    assert refusal.value.field == "limit"


@pytest.mark.parametrize("cursor", ["", "1", "'; DROP TABLE", "é" * 40])
def test_a_cursor_that_no_page_gave_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        PageRequest.parse(cursor, 10)
    assert refusal.value.field == "cursor"


def test_one_item_too_many_means_that_more_follow() -> None:
    items = [(account(3), "c"), (account(2), "b"), (account(1), "a")]
    page = PageRequest.parse(None, 2).page(items)
    assert page == Page(("c", "b"), str(account(2)))
    assert PageRequest.parse(page.next_cursor, 2) == PageRequest(account(2), 2)


def test_the_last_page_has_no_cursor() -> None:
    assert PageRequest(None, 2).page([(account(1), "a")]) == Page(("a",), None)
    assert PageRequest(None, 2).page([]) == Page((), None)
