"""Parameters in paths."""

from uuid import UUID

from aiohttp import web

from server.gateway.refusals import NotFound


def path_uuid(request: web.Request, name: str) -> UUID:
    """The UUID in the path. Raises NotFound where it is none: nothing can live there."""
    try:
        return UUID(request.match_info[name])
    except ValueError:
        raise NotFound(f"{name} is no UUID. Check the path.") from None


def path_text(request: web.Request, name: str) -> str:
    """Text in the path. Raises NotFound where it has NUL, which PostgreSQL can't keep."""
    text = request.match_info[name]
    if "\x00" in text:
        raise NotFound(f"{name} has a NUL character. Check the path.")
    return text
