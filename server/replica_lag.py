"""How far a read replica is behind, by what the database itself says of its log.

A replica can't tell: once nothing comes from the database any more, it has replayed all that it
received. So the end of the database's log is noted with the time of each look, and a replica that
has replayed up to one of these marks shows all that was committed until then. Beside that counts
the time of the last commit it replayed, by the database's clock: what came before it is there.
Where that clock was put back, a commit of before looks newer than it is: until the clock has passed
that time again, marks alone count.

No clock is read here; `now` is a monotonic time in seconds.
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf

STEADY_S = 1.0
"""A clock that goes back by less is one that is kept right, as clocks are."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where the database is: the end of its log in bytes, its time, and since when it runs."""

    log_end: int
    clock: datetime
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Replayed:
    """How far the replica is; `in_recovery` is false for a server that takes writes itself."""

    in_recovery: bool
    log_end: int | None
    committed_at: datetime | None
    started_at: datetime


class ReplicaLag:
    """What one replica is compared with."""

    def __init__(self, *, keep_s: float) -> None:
        """Marks older than `keep_s` are forgotten: a replica that only reached those is unfit."""
        self._keep_s = keep_s
        self._marks: deque[tuple[float, int]] = deque()
        self._newest: tuple[float, Position] | None = None
        self._ambiguous_until: datetime | None = None

    def mark(self, now: float, position: Position) -> None:
        """The database was there at `now`, or later."""
        self._look_at_clock(now, position.clock)
        if self._marks and position.log_end < self._marks[-1][1]:
            self._marks.clear()  # another database answers, whose log is another one
        self._marks.append((now, position.log_end))
        self._newest = now, position
        while now - self._marks[0][0] > self._keep_s:
            self._marks.popleft()

    def is_beyond(self, replica: Replayed) -> bool:
        """Whether it has replayed more than there was at the newest mark. Where that mark is newer
        than what is known of the replica, it follows another database: one that failed over.
        """
        if self._newest is None or replica.log_end is None or not replica.in_recovery:
            return False
        return replica.log_end > self._newest[1].log_end

    def behind_s(self, now: float, replica: Replayed) -> float:
        """The most that it can be behind; infinite where that is not known."""
        if self._newest is None:
            return inf
        noted_at, position = self._newest
        if not replica.in_recovery:
            # The address leads to the database itself; any other server went a way of its own.
            return 0.0 if replica.started_at == position.started_at else inf
        reached = (
            at
            for at, log_end in reversed(self._marks)
            if replica.log_end is not None and log_end <= replica.log_end
        )
        by_log_s = now - next(reached, -inf)
        if replica.committed_at is None or self._ambiguous_until is not None:
            return by_log_s
        since_commit_s = (position.clock - replica.committed_at).total_seconds() + now - noted_at
        if since_commit_s < -STEADY_S:  # of a time to come: the clock was ahead then
            return by_log_s
        return max(0.0, min(by_log_s, since_commit_s))

    def _look_at_clock(self, now: float, clock: datetime) -> None:
        if self._newest is not None:
            noted_at, before = self._newest
            expected = before.clock + timedelta(seconds=now - noted_at)
            if clock < expected - timedelta(seconds=STEADY_S):
                passed = expected + timedelta(seconds=self._keep_s)
                self._ambiguous_until = max(passed, self._ambiguous_until or passed)
        if self._ambiguous_until is not None and clock > self._ambiguous_until:
            self._ambiguous_until = None
