import asyncio

import pytest

from server.background import background
from server.upkeep import Job, Upkeep


class Work:
    """A job that says when it was done so often."""

    def __init__(self, enough: int, *, fails: int = 0) -> None:
        self._enough = enough
        self._fails = fails
        self.times = 0
        self.done = asyncio.Event()

    async def __call__(self) -> int:
        self.times += 1
        if self.times >= self._enough:
            self.done.set()
        if self.times <= self._fails:
            raise OSError
        return 2


async def test_each_job_is_done_when_it_is_due() -> None:
    often, once = Work(3), Work(1)
    upkeep = Upkeep([Job("often", 0.001, often), Job("once", 3_600, once)])
    async with background("upkeep", upkeep.run):
        await asyncio.wait_for(asyncio.gather(often.done.wait(), once.done.wait()), 10)
    assert upkeep.done["often"] >= 2 * 2
    assert upkeep.done["once"] == 2
    assert once.times == 1


async def test_a_job_that_fails_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    bad, good = Work(3, fails=2), Work(2)
    upkeep = Upkeep([Job("bad", 0.001, bad), Job("good", 0.001, good)])
    async with background("upkeep", upkeep.run):
        await asyncio.wait_for(asyncio.gather(bad.done.wait(), good.done.wait()), 10)
    assert upkeep.failures == {"bad": 2, "good": 0}
    assert "upkeep failed" in caplog.text


async def test_without_jobs_it_ends() -> None:
    await asyncio.wait_for(Upkeep([]).run(), 1)
