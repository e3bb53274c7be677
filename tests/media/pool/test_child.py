"""Supervision of real processes, some of which are no workers at all."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from config.media import MediaSettings
from config.telemetry import TelemetrySettings
from media.errors import MediaUnavailable, PortTaken
from media.pool import child
from media.pool.child import WorkerFailed, WorkerProcess
from media.pool.messages import Beat, ReadStats
from server.media_process import command
from tests.media.conftest import STREAM
from tests.media.pool.conftest import ToldEvents

Make = Callable[..., WorkerProcess]


@pytest.fixture
def downs() -> "asyncio.Queue[str]":
    return asyncio.Queue()


@pytest.fixture
async def make(told: ToldEvents, downs: "asyncio.Queue[str]") -> AsyncIterator[Make]:
    made: list[WorkerProcess] = []

    def make(*program: str, udp_port: int = 0) -> WorkerProcess:
        made.append(
            WorkerProcess(
                "1",
                program or command(TelemetrySettings(log_level="error")),
                MediaSettings(udp_port=udp_port),
                bytes(32),
                on_told=lambda _, each: told(each),
                on_down=lambda _, reason: downs.put_nowait(reason),
            )
        )
        return made[-1]

    yield make
    for each in made:
        await each.stop()


async def running(worker: WorkerProcess) -> child.Running:
    """The process, once there is one again."""
    async with asyncio.timeout(30):
        while worker.running is None:
            await asyncio.sleep(0.01)
    return worker.running


async def test_a_killed_worker_is_told_of_and_started_again_at_its_port(
    make: Make, downs: "asyncio.Queue[str]", told: ToldEvents
) -> None:
    worker = make()
    await worker.start()
    first = await running(worker)
    assert isinstance(await told.next(Beat), Beat)
    os.kill(first.process.pid, signal.SIGKILL)
    assert await asyncio.wait_for(downs.get(), 5) == "killed by SIGKILL"
    assert worker.running is None
    with pytest.raises(MediaUnavailable):
        await first.client.call(ReadStats(STREAM))
    second = await running(worker)
    assert second.process.pid != first.process.pid
    assert second.port == first.port
    assert worker.restarts == 1
    assert await second.client.call(ReadStats(STREAM)) is None


async def test_a_hung_worker_is_killed(
    make: Make, downs: "asyncio.Queue[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "HUNG_S", 2.0)
    worker = make()
    await worker.start()
    hung = (await running(worker)).process
    os.kill(hung.pid, signal.SIGSTOP)
    assert (await asyncio.wait_for(downs.get(), 15)).startswith("it told nothing for")
    assert await hung.wait() == -signal.SIGKILL


async def test_a_worker_ends_when_it_is_asked_to(make: Make, downs: "asyncio.Queue[str]") -> None:
    worker = make()
    await worker.start()
    process = (await running(worker)).process
    await worker.stop()
    assert process.returncode == 0
    assert downs.empty()
    assert worker.restarts == 0


async def test_a_worker_ends_when_its_server_is_gone(make: Make) -> None:
    worker = make()
    await worker.start()
    now = await running(worker)
    worker._is_stopping = True  # so that it is not started again
    now.client.channel.close("the server is killed")
    assert await asyncio.wait_for(now.process.wait(), 10) == 0


async def test_a_taken_port_fails_the_start(make: Make) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        worker = make(udp_port=port)
        with pytest.raises(PortTaken, match=str(port)):
            await worker.start()
    assert worker.running is None


async def test_a_program_that_ends_at_once_fails_the_start(make: Make) -> None:
    with pytest.raises(WorkerFailed):
        await make(sys.executable, "-c", "raise SystemExit(3)").start()


async def test_no_program_fails_the_start(make: Make) -> None:
    with pytest.raises(OSError, match="nowhere"):
        await make("/nowhere/python").start()


async def test_stopping_while_it_waits_to_start_again(
    make: Make, downs: "asyncio.Queue[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "FIRST_DELAY_S", 1_000.0)
    worker = make()
    await worker.start()
    (await running(worker)).process.kill()
    await asyncio.wait_for(downs.get(), 5)
    restarted: Awaitable[None] = worker.stop()
    await asyncio.wait_for(restarted, 5)
    assert worker.running is None
