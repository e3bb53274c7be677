import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from config.http import HttpSettings
from server.gateway.listener import MAX_FIELDS, HttpListener
from server.metrics import Metrics

HEAD_TIMEOUT_S = 0.2
GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


class Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        status = int(head[0].split()[1])
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])
        }
        return status, headers, await self.reader.readexactly(int(headers["content-length"]))

    async def problem(self) -> tuple[int, dict[str, Any]]:
        status, headers, body = await self.answer()
        assert headers["content-type"].startswith("application/problem+json")
        return status, json.loads(body)

    async def is_closed(self) -> bool:
        return await self.reader.read() == b""


class Server:
    def __init__(self, listener: HttpListener, metrics: Metrics) -> None:
        self.listener = listener
        self.metrics = metrics
        self._writers: list[asyncio.StreamWriter] = []

    async def connect(self) -> Connection:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.listener.port)
        self._writers.append(writer)
        return Connection(reader, writer)

    def close(self) -> None:
        for writer in self._writers:
            writer.close()


async def _answer(request: web.Request) -> web.Response:
    return web.Response(text=await request.text() or "hello")


@asynccontextmanager
async def serving(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]] = _answer, **settings: Any
) -> AsyncIterator[Server]:
    app = web.Application()
    app.router.add_route("*", "/", handler)
    metrics = Metrics()
    listener = HttpListener(
        app, HttpSettings(port=0, head_timeout_s=HEAD_TIMEOUT_S, **settings), metrics
    )
    await listener.start()
    server = Server(listener, metrics)
    try:
        yield server
    finally:
        server.close()
        await listener.stop()


async def test_requests_are_served_over_one_connection() -> None:
    async with serving() as server:
        connection = await server.connect()
        for _ in range(3):
            await connection.send(GET)
            assert (await connection.answer())[2] == b"hello"


async def test_a_client_that_says_nothing_is_cut_off() -> None:
    async with serving() as server:
        connection = await server.connect()
        status, problem = await connection.problem()
        assert (status, problem["code"]) == (408, "request_timeout")
        assert await connection.is_closed()


async def test_a_client_that_drips_its_head_is_cut_off() -> None:
    async with serving() as server:
        connection = await server.connect()
        answer = asyncio.create_task(connection.problem())
        await connection.send(b"GET / HTTP/1.1\r\n")
        while not answer.done():
            await connection.send(b"X-Drip: 1\r\n")
            await asyncio.wait([answer], timeout=HEAD_TIMEOUT_S / 10)
        assert (await answer)[1]["code"] == "request_timeout"


async def test_so_is_one_that_drips_its_second_head() -> None:
    async with serving() as server:
        connection = await server.connect()
        await connection.send(GET)
        await connection.answer()
        await connection.send(b"GET / HT")
        assert (await connection.problem())[1]["code"] == "request_timeout"
        assert 'route="malformed",status_code="408"' in server.metrics.exposition().decode()


async def test_a_connection_may_be_idle_between_requests() -> None:
    async with serving() as server:
        connection = await server.connect()
        await connection.send(GET)
        await connection.answer()
        stranger = await server.connect()
        assert (await stranger.problem())[0] == 408  # a head timeout later …
        await connection.send(GET)
        assert (await connection.answer())[0] == 200  # … the idle one still works


async def test_a_slow_handler_is_not_a_slow_head() -> None:
    stranger_was_cut_off = asyncio.Event()

    async def wait(_: web.Request) -> web.Response:
        await stranger_was_cut_off.wait()
        return web.Response(text="late")

    async with serving(wait) as server:
        connection = await server.connect()
        await connection.send(GET)
        await (await server.connect()).problem()
        stranger_was_cut_off.set()
        assert (await connection.answer())[2] == b"late"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost : b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
async def test_malformed_requests_are_answered_with_a_problem(request_bytes: bytes) -> None:
    async with serving() as server:
        connection = await server.connect()
        await connection.send(request_bytes)
        status, problem = await connection.problem()
        assert (status, problem["code"]) == (400, "bad_request")
        assert problem["request_id"]
        assert await connection.is_closed()
        assert 'route="malformed",status_code="400"' in server.metrics.exposition().decode()


@pytest.mark.parametrize(
    "fields",
    [
        b"X-Huge: " + b"x" * 20_000 + b"\r\n",
        b"".join(b"X-%d: 1\r\n" % index for index in range(MAX_FIELDS + 1)),
    ],
)
async def test_huge_heads_are_refused(fields: bytes) -> None:
    async with serving() as server:
        connection = await server.connect()
        await connection.send(b"GET / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n")
        status, problem = await connection.problem()
        assert (status, problem["code"]) == (431, "headers_too_large")


async def test_a_huge_target_is_refused() -> None:
    async with serving() as server:
        connection = await server.connect()
        await connection.send(b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await connection.problem())[0] == 431


async def test_connections_are_bounded() -> None:
    async with serving(max_connections=1) as server:
        first = await server.connect()
        await first.send(GET)
        await first.answer()
        assert await (await server.connect()).is_closed()
        await first.send(GET)
        assert (await first.answer())[0] == 200


async def test_a_taken_port_is_told() -> None:
    async with serving() as server:
        second = HttpListener(web.Application(), HttpSettings(port=server.listener.port), Metrics())
        with pytest.raises(OSError, match="in use"):
            await second.start()


async def test_stopping_lets_a_running_request_end() -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def wait(_: web.Request) -> web.Response:
        entered.set()
        await leave.wait()
        return web.Response(text="done")

    async with serving(wait) as server:
        connection = await server.connect()
        await connection.send(GET)
        await entered.wait()
        stopping = asyncio.create_task(server.listener.stop())
        leave.set()
        assert (await connection.answer())[2] == b"done"
        await stopping
