"""What has to be done now and then: partitions ahead, old idempotency keys, holds that are due.

Each job may be done by all nodes at once and as often as they like. A job that fails is said, and
tried again when it is due the next time.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to do every `interval_s`; `run` says how much there was to do."""

    name: str
    interval_s: float
    run: Callable[[], Awaitable[int]]


class Upkeep:
    """Does the jobs while `run` runs, each for the first time at once."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = {job.name: job for job in jobs}
        self.done = dict.fromkeys(self._jobs, 0)
        """How much each job did since this process started."""
        self.failures = dict.fromkeys(self._jobs, 0)

    async def run(self) -> None:
        """Work until cancelled."""
        loop = asyncio.get_running_loop()
        due = dict.fromkeys(self._jobs, loop.time())
        while due:
            name = min(due, key=due.__getitem__)
            await asyncio.sleep(max(0.0, due[name] - loop.time()))
            await self._do(self._jobs[name])
            due[name] = loop.time() + self._jobs[name].interval_s

    async def _do(self, job: Job) -> None:
        try:
            count = await job.run()
        except Exception:  # whatever a store raises: the next time is soon enough
            self.failures[job.name] += 1
            log.warning("upkeep failed", extra={"job": job.name}, exc_info=True)
            return
        self.done[job.name] += count
        if count:
            log.info("upkeep", extra={"job": job.name, "count": count})
