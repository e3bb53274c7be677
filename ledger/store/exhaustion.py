"""Whether the database server has run out of something: disk, memory, connections.

Nothing is acknowledged meanwhile, as every such error is LedgerBusy; this makes the state clear to
whoever sends requests here. It passes with the next posting that goes well, or by itself after a
while, so that a process that gets no requests is tried again.
"""

import time
from collections.abc import Callable

import asyncpg

PASSES_AFTER_S = 30.0

EXHAUSTED = (asyncpg.InsufficientResourcesError, asyncpg.PostgresSystemError)
"""SQLSTATE classes 53 (insufficient resources) and 58 (errors of the system underneath)."""


class Exhaustion:
    """The last error of these classes, until something was posted."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._error: BaseException | None = None
        self._at = 0.0

    def failed(self, error: BaseException) -> None:
        """A statement failed; other errors are no sign."""
        if isinstance(error, EXHAUSTED):
            self._error, self._at = error, self._clock()

    def posted(self) -> None:
        """Something was written."""
        self._error = None

    @property
    def error(self) -> BaseException | None:
        """What the server has run out of, if it has."""
        if self._error is not None and self._clock() - self._at > PASSES_AFTER_S:
            self._error = None
        return self._error
