"""The sequence numbers of one outgoing stream, made from those of the one it is taken from.

What we leave out on purpose leaves no gap in what we send, what is missing or late for other
reasons keeps its place: a receiver sees the losses and reorderings that happened, and no others.
Both sides are extended numbers that never wrap (`media.wire.rtp.extend`).

One outgoing number never stands for two source numbers. SRTP depends on it: an AES-GCM index that
is used for two different packets gives both away (RFC 7714 §9.1).
"""

from collections import deque
from typing import Final, NamedTuple

MAX_SPANS: Final = 64


class _Span(NamedTuple):
    """Source numbers from `start` up to `end` (exclusive) go out as `source - shift`."""

    start: int
    end: int
    shift: int


class SeqMap:
    """Source to outgoing numbers and back; the first packet taken gets the number `first`.

    It remembers the last `MAX_SPANS` omissions; a packet that is later than those has no number.
    """

    def __init__(self, first: int) -> None:
        self._past: deque[_Span] = deque(maxlen=MAX_SPANS)
        self._start = self._next = self._shift = 0
        self._first = first
        self._started = False

    @property
    def next_outgoing(self) -> int:
        """The number after the highest that was given away."""
        return self._next - self._shift if self._started else self._first

    def map(self, source: int) -> int | None:
        """The outgoing number of `source`; None if it was left out or is too late to tell."""
        if source >= self._next:
            if not self._started:
                self.skip_to(source)
            self._next = source + 1
            return source - self._shift
        if source >= self._start:
            return source - self._shift
        for span in reversed(self._past):
            if source >= span.start:
                return source - span.shift if source < span.end else None
        return None

    def drop(self, source: int) -> bool:
        """Leave `source` out; False if it must keep its place, since later ones have theirs."""
        if not self._started or source != self._next:
            return False
        self.skip_to(source + 1)
        return True

    def skip_to(self, source: int) -> None:
        """Leave out everything not yet numbered before `source`, which comes next.

        Does nothing when a number as high was given away already.
        """
        if not self._started:
            self._started = True
            self._shift = source - self._first
        elif source <= self._next:
            return
        else:
            if self._next > self._start:
                self._past.append(_Span(self._start, self._next, self._shift))
            self._shift += source - self._next
        self._start = self._next = source

    def source(self, outgoing: int) -> int | None:
        """The source number that went out as `outgoing`, or is missing in its place."""
        if not self._started or outgoing >= self.next_outgoing:
            return None
        if outgoing >= self._start - self._shift:
            return outgoing + self._shift
        for span in reversed(self._past):
            if outgoing >= span.start - span.shift:
                return outgoing + span.shift
        return None
