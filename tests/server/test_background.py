"""Background tasks are restarted after a fault."""

import asyncio

import pytest

from server import background as module
from server.background import background


async def test_a_fault_is_logged_and_the_task_runs_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "FIRST_DELAY_S", 0.001)
    runs = 0
    recovered = asyncio.Event()

    async def run() -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise ConnectionError("the store went away")
        recovered.set()
        await asyncio.Event().wait()

    async with background("sample", run):
        await asyncio.wait_for(recovered.wait(), 5)
    assert runs == 3
    assert [record.message for record in caplog.records] == ["background task failed"] * 2


async def test_it_ends_with_the_block() -> None:
    cancelled = asyncio.Event()
    started = asyncio.Event()

    async def run() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with background("sample", run):
        await started.wait()
    assert cancelled.is_set()
