"""A TCP proxy between a service and a store that breaks the way in every way that networks do.

- delay: what passes takes longer
- cut: connections end, and new ones are refused
- freeze: half-open; connections stay, or are even made, and nothing passes any more
- drop answers: the store gets a request, does it, and its answer is lost with the connection
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Self

CHUNK = 65_536
Address = tuple[str, int]


class FaultProxy:
    """Listens on one loopback port, and forwards to where `target` says at each connection."""

    def __init__(
        self,
        target: Callable[[], Address],
        is_request: Callable[[bytes], bool] = bool,
        rewrite: Callable[[bytes], bytes] = bytes,
    ) -> None:
        """`is_request`: whether bytes of a client begin a request whose answer may be dropped.

        `rewrite`: what a client is told in place of these bytes of the store.
        """
        self._target = target
        self._is_request = is_request
        self.rewrite = rewrite
        self._server: asyncio.Server | None = None
        self._pairs: set[_Pair] = set()
        self.port = 0
        self.delay_s = 0.0
        self.flows = asyncio.Event()
        self._answers_to_drop = 0
        self.dropped_answers = 0

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    async def cut(self) -> None:
        """End every connection, and refuse new ones until `mend`."""
        if self._server is not None:
            self._server.close()
            self._abort_all()
            await self._server.wait_closed()
            self._server = None

    def freeze(self) -> None:
        """Let nothing pass until `mend`, which ends what was frozen."""
        self.flows.clear()

    def drop_answers(self, count: int) -> None:
        """Lose the answers to the next `count` requests, each with its connection."""
        self._answers_to_drop = count

    async def mend(self) -> None:
        """Let everything pass."""
        self.delay_s = 0.0
        self._answers_to_drop = 0
        if self._server is not None and not self.flows.is_set():
            self._abort_all()
        self.flows.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    def loses_answer_to(self, data: bytes) -> bool:
        """Whether these bytes of a client are a request whose answer is to be lost."""
        if self._answers_to_drop and self._is_request(data):
            self._answers_to_drop -= 1
            self.dropped_answers += 1
            return True
        return False

    def _abort_all(self) -> None:
        for pair in list(self._pairs):
            pair.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target())
        except OSError:
            writer.transport.abort()
            return
        pair = _Pair(self, writer, far_writer)
        self._pairs.add(pair)
        with suppress(OSError):
            await asyncio.gather(pair.requests(reader), pair.answers(far_reader))
        self._pairs.discard(pair)


class _Pair:
    """One connection of a client, and the one that was made for it."""

    def __init__(
        self, proxy: FaultProxy, near: asyncio.StreamWriter, far: asyncio.StreamWriter
    ) -> None:
        self._proxy = proxy
        self._near, self._far = near, far
        self._loses_next = False

    def abort(self) -> None:
        self._near.transport.abort()
        self._far.transport.abort()

    async def requests(self, reader: asyncio.StreamReader) -> None:
        try:
            while data := await reader.read(CHUNK):
                await self._way()
                self._loses_next = self._loses_next or self._proxy.loses_answer_to(data)
                self._far.write(data)
                await self._far.drain()
        finally:
            self.abort()

    async def answers(self, reader: asyncio.StreamReader) -> None:
        try:
            while data := await reader.read(CHUNK):
                await self._way()
                if self._loses_next:
                    return
                self._near.write(self._proxy.rewrite(data))
                await self._near.drain()
        finally:
            self.abort()

    async def _way(self) -> None:
        if self._proxy.delay_s:
            await asyncio.sleep(self._proxy.delay_s)
        await self._proxy.flows.wait()


def postgres_request(data: bytes) -> bool:
    """A statement is executed: Bind (with Execute and Sync behind it), or a simple Query."""
    return data[:1] in (b"B", b"Q")
