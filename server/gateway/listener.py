"""The TCP listener, and what guards it before aiohttp has a request: how many connections, how
slow a head, what malformed bytes are answered.

aiohttp bounds the size of a head and the idle time between requests. It does not bound the time
that a head takes once it has begun, and it answers malformed requests in its own way; both are
done here by extending its connection class. The only names of aiohttp that are not public are
`_request_count`, `_waiter` and `_make_server`, in this file alone.
"""

import asyncio
import logging
from typing import Any, Final

from aiohttp import http_exceptions, web
from uuid_utils.compat import uuid7

from config.http import HttpSettings
from server.gateway.errors import problem_response, refusal_response
from server.gateway.headers import ALWAYS
from server.gateway.refusals import BadRequest, RequestTimedOut
from server.logs import REQUEST_ID
from server.metrics import Metrics

logger = logging.getLogger(__name__)

MAX_LINE_BYTES: Final = 8190
MAX_FIELD_BYTES: Final = 8190
MAX_FIELDS: Final = 64
LINGER_S: Final = 1.0
"""How long what a refused client still sends is thrown away, so that it gets to see the refusal:
closing at once would reset the connection (RFC 9112 §9.6)."""
MALFORMED: Final = "malformed"


class HttpListener:
    """Serves an application on one TCP port."""

    def __init__(self, app: web.Application, settings: HttpSettings, metrics: Metrics) -> None:
        self._settings = settings
        self._runner = _Runner(app, settings, metrics)
        self._site: web.TCPSite | None = None

    @property
    def port(self) -> int:
        """The port that is bound; the configured one before `start`."""
        return self._settings.port if self._site is None else self._site.port

    async def start(self) -> None:
        """Bind and serve. Raises OSError when the port is taken; nothing is left open then."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._settings.host, self._settings.port)
        try:
            await site.start()
        except OSError:
            await self._runner.cleanup()
            raise
        self._site = site

    async def stop(self) -> None:
        """Take no more connections, let running requests end, close."""
        await self._runner.cleanup()


class GuardedConnection(web.RequestHandler):
    """One connection. Its head timer runs from the first byte of a head (or from the connection's
    start) until the head is whole."""

    __slots__ = ("_head_timer", "_metrics", "_settings")

    def __init__(
        self, server: "_Server", settings: HttpSettings, metrics: Metrics, **options: Any
    ) -> None:
        super().__init__(server, **options)
        self._settings = settings
        self._metrics = metrics
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the head timer, or close where too many are open."""
        super().connection_made(transport)
        server = self._manager
        if server is not None and len(server.connections) > self._settings.max_connections:
            logger.warning("too many connections; one was closed")
            self.force_close()
            return
        self._start_head_timer()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Stop the head timer."""
        self._stop_head_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, and see whether that completed a head or began one."""
        heads = self._request_count
        super().data_received(data)
        if self._request_count != heads:
            self._stop_head_timer()
        elif self._waiter is not None and self._head_timer is None:
            self._start_head_timer()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """A problem document for bytes that are no request; nothing of them is repeated."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun; a second one can't be sent")
        REQUEST_ID.set(str(uuid7()))
        response = _malformed_response(status, exc)
        self._metrics.http_request("other", MALFORMED, response.status, 0.0)
        if response.status >= 500:
            logger.error("a connection failed", exc_info=exc)
        _complete(response)
        return response

    def _start_head_timer(self) -> None:
        self._head_timer = self._loop.call_later(
            self._settings.head_timeout_s, self._on_head_timeout
        )

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _on_head_timeout(self) -> None:
        self._head_timer = None
        self._metrics.http_request("other", MALFORMED, 408, 0.0)
        if self.transport is not None:
            self.transport.write(_raw_timeout())
        self.force_close()


class _Server(web.Server):
    def __init__(
        self, inner: web.Server, settings: HttpSettings, metrics: Metrics, **options: Any
    ) -> None:
        super().__init__(inner.request_handler, request_factory=inner.request_factory)
        self._settings = settings
        self._metrics = metrics
        self._options = options

    def __call__(self) -> web.RequestHandler:
        return GuardedConnection(
            self, self._settings, self._metrics, loop=self._loop, **self._options
        )


class _Runner(web.AppRunner):
    """Makes guarded connections."""

    __slots__ = ("_metrics", "_settings")

    def __init__(self, app: web.Application, settings: HttpSettings, metrics: Metrics) -> None:
        super().__init__(app, shutdown_timeout=settings.shutdown_timeout_s)
        self._settings = settings
        self._metrics = metrics

    async def _make_server(self) -> web.Server:
        return _Server(
            await super()._make_server(),
            self._settings,
            self._metrics,
            access_log=None,
            keepalive_timeout=self._settings.keepalive_timeout_s,
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_FIELD_BYTES,
            max_headers=MAX_FIELDS,
            lingering_time=LINGER_S,
            auto_decompress=False,
        )


def _malformed_response(status: int, exc: BaseException | None) -> web.Response:
    if isinstance(exc, http_exceptions.LineTooLong) or "Too many headers" in str(exc):
        return problem_response(
            "headers_too_large", "The head of the request is too large. Send fewer, shorter fields."
        )
    if status >= 500:
        return problem_response("internal", "The server made a mistake. Tell its operator.")
    return refusal_response(BadRequest("This is no HTTP/1.1 request."))


def _complete(response: web.Response) -> None:
    response.headers.update(ALWAYS)
    response.headers["X-Request-Id"] = str(REQUEST_ID.get())
    response.force_close()


def _raw_timeout() -> bytes:
    """The whole answer as bytes: there is no request that aiohttp could answer."""
    response = refusal_response(RequestTimedOut())
    body = (response.text or "").encode()
    head = (
        f"HTTP/1.1 {response.status} Request Timeout",
        f"Content-Type: {response.content_type}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body
