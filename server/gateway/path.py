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
