"""For how long a publisher has been beyond its bit rate."""


class Overrun:
    """Looks at a count of dropped packets every now and then; every half second will do."""

    def __init__(self) -> None:
        self._dropped = 0
        self._since: float | None = None

    def lasts(self, dropped: int, now: float) -> float:
        """Seconds since when there were more drops at each look than at the one before; 0 if not.

        `dropped` only grows.
        """
        if dropped == self._dropped:
            self._since = None
            return 0.0
        self._dropped = dropped
        if self._since is None:
            self._since = now
        return now - self._since
