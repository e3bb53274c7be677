"""What happened lately and is not in anybody's figures yet."""

from collections import deque


class Recent:
    """Counts what happened within the last `window_s` seconds."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._at: deque[float] = deque()

    def add(self, now: float) -> None:
        """It happened again. `now` never goes back."""
        self._at.append(now)

    def count(self, now: float) -> int:
        """How often it happened in the window that ends at `now`."""
        while self._at and now - self._at[0] >= self._window_s:
            self._at.popleft()
        return len(self._at)
