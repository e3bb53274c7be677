"""A way to Redis that can be cut and mended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff


class Line:
    """A TCP proxy: `cut` ends every connection and refuses new ones until `mend`."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        ends = {writer, far_writer}
        self._writers |= ends
        with suppress(OSError):
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        self._writers -= ends

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        finally:
            writer.transport.abort()


@pytest.fixture
async def line(redis_url: str) -> AsyncIterator[Line]:
    parts = urlsplit(redis_url)
    line = Line(parts.hostname or "127.0.0.1", parts.port or 6379)
    await line.mend()
    yield line
    with suppress(AssertionError):
        await line.cut()


@pytest.fixture
async def far_redis(line: Line, redis_url: str) -> AsyncIterator[Redis]:
    """A client whose way to Redis is the line; it tries a command once."""
    password = urlsplit(redis_url).password
    client = Redis(port=line.port, host="127.0.0.1", password=password, retry=Retry(NoBackoff(), 0))
    yield client
    await client.aclose()
