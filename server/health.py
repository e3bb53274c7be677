"""Whether the process can do its work: each part it needs is asked, with a time limit."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

CHECK_TIMEOUT_S = 2.0

logger = logging.getLogger(__name__)


Check = Callable[[], Awaitable[object]]
"""Asks one part; raises when the part can't work."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one part answered, and how long it took."""

    ok: bool
    latency_ms: float


class Readiness:
    """Runs the checks; callers that ask at the same time share one run."""

    def __init__(self, checks: Mapping[str, Check], *, timeout_s: float = CHECK_TIMEOUT_S) -> None:
        self._checks = dict(checks)
        self._timeout_s = timeout_s
        self._run: asyncio.Task[dict[str, Outcome]] | None = None

    async def outcomes(self) -> dict[str, Outcome]:
        """The outcome of every check by name; never raises for a part that fails."""
        if self._run is None or self._run.done():
            self._run = asyncio.create_task(self._ask_all())
        return await asyncio.shield(self._run)

    async def _ask_all(self) -> dict[str, Outcome]:
        outcomes = await asyncio.gather(*(self._ask(*item) for item in self._checks.items()))
        return dict(zip(self._checks, outcomes, strict=True))

    async def _ask(self, name: str, check: Check) -> Outcome:
        started = time.perf_counter()
        ok = True
        try:
            async with asyncio.timeout(self._timeout_s):
                await check()
        except Exception:  # whatever a part fails with, it is not ready
            logger.warning("not ready", extra={"part": name}, exc_info=True)
            ok = False
        return Outcome(ok, round((time.perf_counter() - started) * 1000, 3))
