"""Links of requests against rows: which links are looked at, and what is read at a time.

What is found in a real database is in test_tampering.py.
"""

from uuid import UUID

import pytest

from ledger.evidence import request_check as module
from ledger.evidence.encoding import encode_row
from ledger.evidence.links import ChainBuilder
from ledger.evidence.request_check import changed_request
from ledger.evidence.windows import FIRST, LAST
from tests.support.evidence import AT, ONE, OTHER, request_row, requests_of, unposted_row


class Rows:
    """Requests in memory, and what was read of them."""

    def __init__(self):
        self.rows = {}
        self.unposted = {}
        self.links = []
        self.read = []
        self._builder = ChainBuilder(sequence=100)

    def link(self, until, *batches, unposted=()):
        """Link requests of such batches, one each, and others that posted nothing."""
        rows = [request_row(batch, UUID(int=batch)) for batch in batches]
        self.rows |= dict(zip(batches, rows, strict=True))
        position = self._builder.position + 1
        sealed = [unposted_row(position, each) for each in unposted]
        if sealed:
            self.unposted[position] = sealed
        self.links.append(self._builder.add_requests(until, requests_of(rows, sealed)))

    async def request_links(self, after, limit):
        return [link for link in self.links if link.position > after][:limit]

    async def posted_requests(self, after, until):
        self.read.append((after, until))
        found = [row for batch, row in sorted(self.rows.items()) if after < batch <= until]
        return memoryview(b"".join(found))

    async def unposted_requests(self, after, until):
        return {at: rows for at, rows in self.unposted.items() if after < at <= until}


@pytest.fixture
def rows():
    """Requests of the batches 1 to 9, in five links, of which one has no batch."""
    rows = Rows()
    rows.link(2, 1, 2, unposted=[ONE])
    rows.link(5, 3, 5)
    rows.link(5, unposted=[OTHER, UUID(int=9)])
    rows.link(6)
    rows.link(9, 7, 8, 9)
    return rows


async def checked(rows, after=FIRST, until=LAST):
    told = []
    found = await changed_request(rows, after, until, progress=told.append)
    return found, told


async def test_everything_is_read_at_once_where_it_is_little(rows):
    assert await checked(rows) == (None, [10])
    assert rows.read == [(0, 9)]


@pytest.mark.parametrize(
    ("links_a_page", "rows_a_group", "read"),
    [
        (2, 100, [(0, 5), (5, 6), (6, 9)]),
        (100, 3, [(0, 2), (2, 5), (5, 6), (6, 9)]),
        (100, 1, [(0, 2), (2, 5), (5, 5), (5, 6), (6, 9)]),
        (1, 1, [(0, 2), (2, 5), (5, 5), (5, 6), (6, 9)]),
    ],
)
async def test_links_are_taken_in_groups(rows, monkeypatch, links_a_page, rows_a_group, read):
    monkeypatch.setattr(module, "PAGE_LINKS", links_a_page)
    monkeypatch.setattr(module, "GROUP_ROWS", rows_a_group)
    found, told = await checked(rows)
    assert found is None
    assert told == sorted(told)
    assert told[-1] == 10
    assert rows.read == read


async def test_it_ends_where_it_is_wanted_no_more(rows, monkeypatch):
    monkeypatch.setattr(module, "GROUP_ROWS", 1)
    rows.rows[9] = request_row(9, ONE)
    found = await changed_request(
        rows, FIRST, LAST, progress=lambda _: None, wanted=lambda: len(rows.read) < 2
    )
    assert found is None
    assert rows.read == [(0, 2), (2, 5)]


@pytest.mark.parametrize("page", [1, 2, 500])
@pytest.mark.parametrize("group", [1, 200_000])
@pytest.mark.parametrize("batch", [1, 2, 3, 5, 7, 8, 9])
async def test_a_changed_row_is_found_wherever_groups_end(rows, monkeypatch, page, group, batch):
    monkeypatch.setattr(module, "PAGE_LINKS", page)
    monkeypatch.setattr(module, "GROUP_ROWS", group)
    rows.rows[batch] = request_row(batch, UUID(int=batch), text=b"x" * 32)
    found, _ = await checked(rows)
    assert (found.table, found.row) == ("requests", f"request_id {UUID(int=batch)}")


async def test_a_row_of_another_width_is_found(rows):
    rows.rows[8] = memoryview(encode_row(8, OTHER, UUID(int=8), b"short", ONE, AT))
    found, _ = await checked(rows)
    assert (found.table, found.row) == ("requests", f"request_id {UUID(int=8)}")


async def test_a_row_of_a_batch_that_had_none_is_found(rows):
    rows.rows[6] = request_row(6, UUID(int=66))
    found, _ = await checked(rows)
    assert found.row == f"request_id {UUID(int=66)}"
    assert "added" in found.problem


async def test_what_posted_nothing_is_compared_too(rows):
    rows.unposted[3][1] = unposted_row(3, UUID(int=9), b"x" * 32)
    found, _ = await checked(rows)
    assert found.row == f"request_id {UUID(int=9)}"
    del rows.unposted[3]
    found, _ = await checked(rows)
    assert "missing" in found.problem


@pytest.mark.parametrize("page", [1, 500])
@pytest.mark.parametrize(
    ("after", "until", "read"),
    [
        (FIRST, 2, {1, 2}),
        (FIRST, 3, {1, 2, 3, 4, 5}),
        (2, 5, {3, 4, 5}),
        (3, 4, {3, 4, 5}),
        (5, 6, {6}),
        (6, LAST, {7, 8, 9}),
        (9, LAST, set()),
        (FIRST, 0, set()),
    ],
)
async def test_only_links_of_the_range_are_compared(rows, monkeypatch, page, after, until, read):
    monkeypatch.setattr(module, "PAGE_LINKS", page)
    for batch in {1, 2, 3, 5, 7, 8, 9} - read:
        rows.rows[batch] = request_row(batch, UUID(int=batch), text=b"x" * 32)
    found, _ = await checked(rows, after, until)
    assert found is None
    assert {n for begin, end in rows.read for n in range(begin + 1, end + 1)} == read


async def test_without_links_there_is_nothing_to_compare():
    rows = Rows()
    rows.rows[3] = request_row(3)
    assert await checked(rows) == (None, [])
