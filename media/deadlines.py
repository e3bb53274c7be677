"""What is due when, so that nobody has to look through everything to find it."""

from collections.abc import Iterator
from heapq import heappop, heappush


class Deadlines:
    """One time for each key; setting, discarding and finding what is due take logarithmic time."""

    def __init__(self) -> None:
        self._due: dict[int, float] = {}
        self._heap: list[tuple[float, int]] = []  # those that are not in _due are stale

    def __len__(self) -> int:
        return len(self._due)

    def set(self, key: int, at: float) -> None:
        """`key` is due at `at` (monotonic seconds), whatever was set before."""
        self._due[key] = at
        heappush(self._heap, (at, key))

    def discard(self, key: int) -> None:
        """`key` is never due."""
        self._due.pop(key, None)

    def take(self, now: float) -> Iterator[int]:
        """The keys that are due by `now`, the earliest first; each has to be set again.

        What is set while this runs comes out too if it is due.
        """
        while self._heap and self._heap[0][0] <= now:
            at, key = heappop(self._heap)
            if self._due.get(key) == at:
                del self._due[key]
                yield key
