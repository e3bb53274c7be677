"""The bit rate that a publisher may not exceed: a token bucket of one second."""


class BitrateLimit:
    """Lets packets through at `bitrate_bps` on the average; a second's worth may come at once."""

    def __init__(self, bitrate_bps: int) -> None:
        self._bytes_per_s = bitrate_bps / 8
        self.refill(0.0)

    def refill(self, now: float) -> None:
        """Begin anew, with all of a second's worth."""
        self._left = self._bytes_per_s
        self._at = now

    def allows(self, size: int, now: float) -> bool:
        """Whether a packet of `size` bytes may pass at `now` (monotonic seconds); it is counted."""
        left = self._left + (now - self._at) * self._bytes_per_s
        self._left = min(left, self._bytes_per_s)
        self._at = now
        if size > self._left:
            return False
        self._left -= size
        return True
