"""Where the pages find the other listeners."""

from aiohttp import web

from server.gateway.client import CLIENT
from server.gateway.headers import host_of
from server.gateway.route import Call

FALLBACK_HOST = "localhost"


def chat_url(call: Call) -> str:
    """The chat's address as the client can reach it: the setting, or the host that it asked for
    with the chat's port."""
    if call.settings.chat_url is not None:
        return call.settings.chat_url
    scheme = "wss" if call.request[CLIENT].https else "ws"
    host = host_of(call.request) or FALLBACK_HOST
    return f"{scheme}://{host}:{call.services.chat.port}/"


def page_policy(call: Call) -> str:
    """The content security policy of the pages.

    Ant Design writes its styles into the page, hence 'unsafe-inline' for styles, and for them
    alone.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self' blob:",
            f"connect-src 'self' {chat_url(call)}",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def page_headers(call: Call) -> dict[str, str]:
    """What goes out with every page: devices are for our own scripts only."""
    return {
        "Content-Security-Policy": page_policy(call),
        "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self)",
    }


def html(call: Call, text: str, *, status: int) -> web.Response:
    """A page made here."""
    return web.Response(
        text=text, status=status, content_type="text/html", headers=page_headers(call)
    )
