"""Control channels within the test's own event loop, and pools of real processes."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from config.media import MediaSettings
from config.telemetry import TelemetrySettings
from media.pool.client import WorkerClient
from media.pool.messages import VERSION, Hello, Told, Welcome
from media.pool.pool import MediaPool
from media.pool.service import serve_worker
from server.media_process import command
from tests.media.conftest import Events

ICE_KEY = "ab" * 32

Connect = Callable[[], Awaitable[WorkerClient]]
StartPool = Callable[..., Awaitable[MediaPool]]


class ToldEvents:
    """What a worker told, in order."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Told] = asyncio.Queue()

    def __call__(self, told: Told) -> None:
        self.queue.put_nowait(told)

    async def next(self, *kinds: type[Told]) -> Told:
        """The next of these kinds; the others before it are passed over."""
        async with asyncio.timeout(15):
            while not isinstance(told := await self.queue.get(), kinds):
                pass
        return told


@pytest.fixture
def told() -> ToldEvents:
    return ToldEvents()


@pytest.fixture
async def connect(told: ToldEvents) -> AsyncIterator[Connect]:
    """Connects to a worker that has not been greeted."""
    async with contextlib.AsyncExitStack() as stack:

        async def make() -> WorkerClient:
            ours, theirs = socket.socketpair()
            serving = asyncio.create_task(serve_worker(theirs))
            client = WorkerClient(on_told=told)
            loop = asyncio.get_running_loop()
            await loop.create_unix_connection(lambda: client.channel, sock=ours)

            async def end() -> None:
                client.channel.close("the test is over")
                await asyncio.wait_for(serving, 15)

            stack.push_async_callback(end)
            return client

        yield make


@pytest.fixture
async def worker_client(connect: Connect) -> WorkerClient:
    """A worker that serves, at the other end of a channel."""
    client = await connect()
    welcome = await client.call(Hello(VERSION, MediaSettings(udp_port=0), ICE_KEY))
    assert isinstance(welcome, Welcome)
    return client


@pytest.fixture
async def start_pool(events: Events) -> AsyncIterator[StartPool]:
    """Starts pools of two worker processes with changed settings."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(**settings: object) -> MediaPool:
            chosen = {"udp_port": 0, "workers": 2, **settings}
            pool = MediaPool(
                MediaSettings(**chosen),  # type: ignore[arg-type]
                command(TelemetrySettings(log_level="warning")),
                on_event=events,
            )
            await pool.start()
            stack.push_async_callback(pool.stop)
            return pool

        yield start
