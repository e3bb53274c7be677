"""Security headers on every answer, and who may read answers from another origin (CORS)."""

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from config.http import HttpSettings
from server.gateway.client import CLIENT

ALWAYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Server": "sociallive",  # and no version of what it is made of
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
)
UNLESS_SET: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Cache-Control": "no-store",
    }
)
HSTS: Final = "max-age=31536000"

# RFC 9725 §4.1 and the WHEP draft: players and encoders in pages of any origin.
ANY_ORIGIN_PREFIXES: Final = ("/whip/", "/whep/")
CONFIGURED_ORIGIN_PREFIXES: Final = ("/api/", "/auth/", "/.well-known/")
EXPOSED: Final = "Location, ETag, Link, Accept-Post, Accept-Patch, Retry-After, X-Request-Id"
ALLOWED_HEADERS: Final = "Authorization, Content-Type, If-Match"
SESSION_METHODS: Final = "POST, PATCH, DELETE, OPTIONS"
API_METHODS: Final = "GET, HEAD, POST, PUT, PATCH, OPTIONS"
PREFLIGHT_MAX_AGE_S: Final = 7200

_HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


def headers_middleware(settings: HttpSettings) -> Middleware:
    """Puts the headers on; it stands outside of the errors, so that refusals have them too."""

    @web.middleware
    async def add_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
        shared = cors_headers(request, settings.allowed_origins)
        if _is_answered_here(request, shared):
            response: web.StreamResponse = web.Response(status=204)
        else:
            response = await handler(request)
        response.headers.update(ALWAYS)
        response.headers.update(shared)
        for name, value in UNLESS_SET.items():
            response.headers.setdefault(name, value)
        if request[CLIENT].https:
            response.headers["Strict-Transport-Security"] = HSTS
        return response

    return add_headers


def cors_headers(request: web.Request, allowed_origins: Collection[str]) -> dict[str, str]:
    """What the answer says about other origins; nothing where they may not read it."""
    if request.path.startswith(ANY_ORIGIN_PREFIXES):
        headers, methods = {"Access-Control-Allow-Origin": "*"}, SESSION_METHODS
    elif request.path.startswith(CONFIGURED_ORIGIN_PREFIXES) and allowed_origins:
        headers, methods = {"Vary": "Origin"}, API_METHODS
        if (origin := request.headers.get("Origin")) not in allowed_origins:
            return headers
        headers["Access-Control-Allow-Origin"] = str(origin)
    else:
        return {}
    headers["Access-Control-Expose-Headers"] = EXPOSED
    if _is_preflight(request):
        headers["Access-Control-Allow-Methods"] = methods
        headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
        headers["Access-Control-Max-Age"] = str(PREFLIGHT_MAX_AGE_S)
    return headers


def host_of(request: web.Request) -> str | None:
    """The host that the client asked for, without its port; None where it is no host name."""
    host = request.headers.get(hdrs.HOST, "")
    if not _HOST.fullmatch(host):
        return None
    return host if host.endswith("]") else re.sub(r":[0-9]+$", "", host)


def _is_answered_here(request: web.Request, shared: Mapping[str, str]) -> bool:
    """WHIP and WHEP have OPTIONS routes of their own; the API has none."""
    return (
        _is_preflight(request)
        and request.path.startswith(CONFIGURED_ORIGIN_PREFIXES)
        and "Access-Control-Allow-Origin" in shared
    )


def _is_preflight(request: web.Request) -> bool:
    return (
        request.method == hdrs.METH_OPTIONS and "Access-Control-Request-Method" in request.headers
    )
