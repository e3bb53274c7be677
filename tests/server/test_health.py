import asyncio
import logging

import pytest

from server.health import Readiness


async def works() -> None:
    """A part that answers."""


async def fails() -> None:
    raise ConnectionRefusedError


async def hangs() -> None:
    await asyncio.Event().wait()


async def test_every_part_is_asked_and_none_fails_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    readiness = Readiness({"a": works, "b": fails, "c": hangs}, timeout_s=0.05)
    with caplog.at_level(logging.WARNING):
        outcomes = await readiness.outcomes()
    assert {name: outcome.ok for name, outcome in outcomes.items()} == {
        "a": True,
        "b": False,
        "c": False,
    }
    assert outcomes["c"].latency_ms >= 50
    assert {record.__dict__["part"] for record in caplog.records} == {"b", "c"}


async def test_slow_parts_are_asked_at_the_same_time() -> None:
    meeting = asyncio.Barrier(2)
    readiness = Readiness({"a": meeting.wait, "b": meeting.wait})
    outcomes = await readiness.outcomes()
    assert all(outcome.ok for outcome in outcomes.values())


async def test_callers_share_one_run_and_later_ones_get_a_new_one() -> None:
    runs = 0
    go_on = asyncio.Event()

    async def counted() -> None:
        nonlocal runs
        runs += 1
        await go_on.wait()

    readiness = Readiness({"a": counted})
    callers = [asyncio.create_task(readiness.outcomes()) for _ in range(5)]
    await asyncio.wait(callers, timeout=0.01)
    callers[0].cancel()  # one that leaves takes nobody with it
    go_on.set()
    await asyncio.gather(*callers[1:])
    assert runs == 1
    await readiness.outcomes()
    assert runs == 2
