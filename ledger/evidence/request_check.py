"""Verification of the links of requests. It rests on transactions that are as they were chained.

Links are taken in groups, so that some hundred thousand rows at most are in memory, and the rows of
a group are fetched at once, as its batches lie behind each other.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ledger.evidence.books import Books
from ledger.evidence.findings import Finding, changed_requests
from ledger.evidence.links import Link
from ledger.evidence.requests import PostedRows, Requests, requests_digest

PAGE_LINKS = 500
GROUP_ROWS = 200_000
"""About how many rows are compared at a time, some 25 MB of them."""


class _Group(NamedTuple):
    """Links that follow on each other; their batches have sequences in (after, until]."""

    after: int
    links: Sequence[Link]

    @property
    def until(self) -> int:
        return _end(self.links[-1])


async def changed_request(
    books: Books,
    after: int,
    until: int,
    *,
    progress: Callable[[int], None],
    wanted: Callable[[], bool] = lambda: True,
) -> Finding | None:
    """The first request that is not as it was chained, of the links that cover some batch with a
    sequence in (after, until]. Tells how many rows it has compared. Ends early, with nothing, when
    it is `wanted` no more. Raises what `books` raises.
    """
    done = 0
    async for group in _groups(books, after, until):
        if not wanted():
            return None
        posted = await books.posted_requests(group.after, group.until)
        first, last = group.links[0].position, group.links[-1].position
        unposted = await books.unposted_requests(first - 1, last)
        found = await asyncio.to_thread(_first_changed, group.links, posted, unposted)
        if found is not None:
            return found
        done += sum(link.rows for link in group.links)
        progress(done)
    return None


async def _groups(books: Books, after: int, until: int) -> AsyncIterator[_Group]:
    position = begun = 0
    while begun < until and (page := await books.request_links(position, PAGE_LINKS)):
        ends = [begun, *map(_end, page)]
        wanted = [n for n in range(len(page)) if ends[n] < until and ends[n + 1] > after]
        if wanted:
            for group in _grouped(ends[wanted[0]], [page[n] for n in wanted]):
                yield group
        position, begun = page[-1].position, ends[-1]


def _grouped(after: int, links: Sequence[Link]) -> Iterator[_Group]:
    taken: list[Link] = []
    rows = 0
    for link in links:
        if taken and rows + link.rows > GROUP_ROWS:
            yield _Group(after, taken)
            after, taken, rows = _end(taken[-1]), [], 0
        taken.append(link)
        rows += link.rows
    yield _Group(after, taken)


def _first_changed(
    links: Sequence[Link], posted: memoryview, unposted: Mapping[int, list[memoryview]]
) -> Finding | None:
    left = PostedRows.of(posted)
    for link in links:
        rows, left = left.cut(_end(link))
        requests = Requests(rows, unposted.get(link.position, ()))
        if requests_digest(requests) != link.digest:
            return changed_requests(link, requests)
    return None


def _end(link: Link) -> int:
    """The last batch whose requests a link of requests covers; its hash has it."""
    return link.requests_until or 0
