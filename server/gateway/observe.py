"""Request ids, the access log and the HTTP metrics: one look at each request, from outside.

Paths, queries and headers are never logged: the path of a WHEP session is a capability, and
headers carry tokens. The route's template and the ids say enough.
"""

import logging
import re
import time

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from uuid_utils.compat import uuid7

from config.http import HttpSettings
from identity.principal import Principal
from server.gateway.client import CLIENT, Client, identify_client
from server.logs import REQUEST_ID
from server.metrics import Metrics

logger = logging.getLogger(__name__)

PRINCIPAL = web.RequestKey("principal", Principal)

CLIENT_WENT_AWAY = 499
UNMATCHED = "unmatched"
OTHER_METHOD = "other"
LOGGED_IDS = ("stream_id", "user_id", "alert_id")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def observe_middleware(settings: HttpSettings, metrics: Metrics) -> Middleware:
    """The outermost middleware."""

    @web.middleware
    async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
        client = identify_client(
            request.remote, request.headers, settings.trusted_proxies, secure=request.secure
        )
        request[CLIENT] = client
        request_id = _request_id(request, client)
        REQUEST_ID.set(request_id)  # the task is this request's own
        started = time.perf_counter()
        status = CLIENT_WENT_AWAY
        try:
            response = await handler(request)
            response.headers["X-Request-Id"] = request_id
            status = response.status
        finally:
            _record(metrics, request, status, time.perf_counter() - started)
        return response

    return observe


def route_template(request: web.Request) -> str:
    """The template that the request's path matched, such as `/api/streams/{stream_id}`."""
    resource = request.match_info.route.resource
    return UNMATCHED if resource is None else resource.canonical


def _record(metrics: Metrics, request: web.Request, status: int, duration_s: float) -> None:
    route = route_template(request)
    method = request.method if request.method in hdrs.METH_ALL else OTHER_METHOD
    metrics.http_request(method, route, status, duration_s)
    principal = request.get(PRINCIPAL)
    ids = {name: request.match_info[name] for name in LOGGED_IDS if name in request.match_info}
    logger.info(
        "%s %s %s",
        method,
        route,
        status,
        extra={
            **ids,
            "method": method,
            "route": route,
            "status": status,
            "duration_ms": round(duration_s * 1000, 2),
            "client": str(request[CLIENT].address),
            "caller_id": None if principal is None else str(principal.user_id),
        },
    )


def _request_id(request: web.Request, client: Client) -> str:
    given = request.headers.get("X-Request-Id", "")
    if client.behind_trusted_proxy and _REQUEST_ID.fullmatch(given):
        return given
    return str(uuid7())
