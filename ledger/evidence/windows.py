"""Which batches are verified, and in which portions they are read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

FIRST, LAST = -(2**63), 2**63 - 1
"""Before and behind every sequence and position."""


@dataclass(frozen=True, slots=True)
class Range:
    """Which batches are replayed, by sequence, both ends included; None is open."""

    first: int | None = None
    last: int | None = None

    @property
    def whole(self) -> bool:
        """Whether it is everything, so that balances can be compared in the end."""
        return self.first is None and self.last is None

    @property
    def after(self) -> int:
        return FIRST if self.first is None else self.first - 1

    @property
    def until(self) -> int:
        return LAST if self.last is None else self.last


EVERYTHING = Range()


@dataclass(frozen=True, slots=True)
class Window:
    """Batches with sequences in (after, until], which have so many rows."""

    after: int
    until: int
    rows: int


def within(windows: Sequence[Window], batches: Range) -> Iterator[Window]:
    """Of each window what is in the range. How many rows that are is not known; all are named."""
    for window in windows:
        after, until = max(window.after, batches.after), min(window.until, batches.until)
        if after < until:
            yield Window(after, until, window.rows)
