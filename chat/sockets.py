"""The WebSocket listener; the only file that knows the `websockets` library.

Frames are written to the transport as they are, prebuilt for every member of a room. The library
itself writes whole frames at once and never fragments here, so ours fall between its own. For that
two attributes of its connections are used that it does not document, `transport` and `protocol`;
and callbacks of asyncio.Protocol, which its connections are, are extended. Tests hold all of it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.protocol import OPEN
from websockets.typing import Subprotocol

from chat.addresses import client_key
from chat.errors import CloseCode
from chat.frames import CODECS, Codec
from config.chat import ChatSettings

# Of its own level: at DEBUG the library would log frames, and with them tokens.
_wire_log = logging.getLogger("chat.sockets.wire")
_wire_log.setLevel(logging.WARNING)


class Socket(ServerConnection):
    """One client. An Outlet: `write` queues, and the budget is kept by ending the slow."""

    def __init__(self, *args: Any, listener: "Listener", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.when_ending: Callable[[], None] = _do_nothing
        """Called, never from within `write`, when `end` begins its work."""
        self._listener = listener
        self._ending: asyncio.Task[None] | None = None

    @property
    def codec(self) -> Codec:
        """What the handshake agreed on."""
        return CODECS[str(self.subprotocol)]

    def write(self, message: bytes) -> None:
        """Queue a whole WebSocket frame; nothing happens when the connection is ending."""
        # RFC 6455 §5.5.1: no data frames after a Close frame.
        if self._ending is None and self.protocol.state is OPEN:
            self.transport.write(message)

    async def receive(self) -> str | bytes | None:
        """The next message; None when the connection is over."""
        try:
            return await self.recv()
        except ConnectionClosed:
            return None

    def end(self, code: CloseCode, reason: str) -> None:
        """Start the closing handshake; the connection is cut when it takes too long."""
        if self._ending is None:
            self._listener.on_end(code)
            self._ending = asyncio.create_task(self._end(code, reason))

    async def ended(self) -> None:
        """Returns when `end` has done its work."""
        if self._ending is not None:
            await self._ending

    async def _end(self, code: CloseCode, reason: str) -> None:
        self.when_ending()
        try:
            async with asyncio.timeout(self._listener.settings.close_timeout_s):
                await self.close(code, reason)
        except TimeoutError:
            pass
        finally:
            self.transport.abort()

    def pause_writing(self) -> None:
        """asyncio.Protocol: more bytes wait than the outgoing budget allows."""
        super().pause_writing()
        self.end(CloseCode.TOO_SLOW, "the outgoing queue outgrew its budget")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio.Protocol: TCP is up."""
        super().connection_made(transport)
        self._listener.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio.Protocol: TCP is down."""
        super().connection_lost(exc)
        self._listener.lost(self)

    def client(self) -> str:
        """What connections are counted by."""
        headers = self.request.headers if self.request else Headers()
        forwarded = ",".join(headers.get_all("X-Forwarded-For"))
        return client_key(
            self.remote_address[0], forwarded, self._listener.settings.trusted_proxies
        )


def _do_nothing() -> None:
    pass


class Listener:
    """Accepts WebSocket connections and hands each to `serve_one` until that returns."""

    def __init__(
        self,
        settings: ChatSettings,
        serve_one: Callable[[Socket], Awaitable[None]],
        on_end: Callable[[CloseCode], None],
    ) -> None:
        self.settings = settings
        self.on_end = on_end
        self._serve_one = serve_one
        self._sockets: set[Socket] = set()
        self._server: Server | None = None

    @property
    def port(self) -> int:
        """The bound TCP port."""
        sockets = self._server.sockets if self._server else ()
        port: int = next(iter(sockets)).getsockname()[1]
        return port

    async def start(self) -> None:
        """Bind and accept. Raises OSError when the port is taken."""
        settings = self.settings
        self._server = await serve(
            self._serve,
            settings.host,
            settings.port,
            create_connection=partial(Socket, listener=self),  # type: ignore[arg-type]
            subprotocols=[Subprotocol(name) for name in CODECS],
            compression=None,
            server_header=None,
            logger=_wire_log,
            max_size=settings.max_frame_bytes,
            max_queue=4,
            write_limit=settings.outgoing_budget_bytes,
            open_timeout=settings.open_timeout_s,
            close_timeout=settings.close_timeout_s,
            ping_interval=settings.ping_interval_s,
            ping_timeout=settings.ping_timeout_s,
        )

    async def stop(self) -> None:
        """Close every connection with 1001, and cut those that don't leave in time."""
        server = self._server
        if server is None:
            return
        server.close(close_connections=False)
        for socket in tuple(self._sockets):
            if socket.protocol.state is OPEN:
                socket.end(CloseCode.GOING_AWAY, "the server stops")
            else:
                socket.transport.abort()
        try:
            async with asyncio.timeout(self.settings.stop_timeout_s):
                await server.wait_closed()
        except TimeoutError:
            for socket in tuple(self._sockets):
                socket.transport.abort()
            await server.wait_closed()

    def opened(self, socket: Socket) -> None:
        """TCP is up; without room for it, it is cut before its first byte is read."""
        self._sockets.add(socket)
        most = self.settings.max_connections + self.settings.max_pending_connections
        if len(self._sockets) > most:
            socket.transport.abort()

    def lost(self, socket: Socket) -> None:
        """TCP is down."""
        self._sockets.discard(socket)

    async def _serve(self, connection: ServerConnection) -> None:
        socket = cast(Socket, connection)
        try:
            await self._serve_one(socket)
        finally:
            await socket.ended()
