"""When to ask the publisher for a keyframe: as soon as somebody needs one, but not all the time.

A keyframe is the most expensive picture there is, and one answers every viewer who waits.
"""


class KeyframeRequests:
    """Lets one request through every `interval_s`; a wish in between is kept until then."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._last = float("-inf")
        self._wanted = False
        self.made = 0
        """Requests that were let through."""

    def want(self) -> None:
        """A viewer asked for a keyframe."""
        self._wanted = True

    def keyframe_came(self) -> None:
        """A keyframe begins: it answers everybody who asked until now."""
        self._wanted = False

    def due(self, now: float, *, waiting: bool) -> bool:
        """Whether to ask now; `waiting`: there are viewers who can't begin without."""
        if not (self._wanted or waiting) or now - self._last < self._interval_s:
            return False
        self._last = now
        self._wanted = False
        self.made += 1
        return True
