"""How much of something is allowed: so much a second, and a second's worth at once."""


class Budget:
    """A token bucket that starts full."""

    def __init__(self, per_s: float, now: float) -> None:
        self._per_s = per_s
        self._left = per_s
        self._at = now

    def take(self, wanted: int, now: float) -> int:
        """How many of `wanted` are allowed at `now` (monotonic seconds); they are spent."""
        self._left = min(self._left + (now - self._at) * self._per_s, self._per_s)
        self._at = now
        granted = min(wanted, int(self._left))
        self._left -= granted
        return granted
