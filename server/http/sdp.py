"""What WHIP and WHEP have in common: media types, and answers with SDP in them."""

from uuid import UUID

from aiohttp import web

from media.negotiation import Patched
from media.worker import Accepted

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"


def accepted_response(protocol: str, stream_id: UUID, accepted: Accepted) -> web.Response:
    """A session was made (RFC 9725 §4.2): its URL, its ICE session as ETag, and the SDP answer."""
    return web.Response(
        status=201,
        body=accepted.answer.encode(),
        content_type=SDP,
        headers={
            "Location": f"/{protocol}/{stream_id}/{accepted.session_id}",
            "ETag": accepted.etag,
            "Accept-Patch": FRAGMENT,
        },
    )


def patched_response(patched: Patched) -> web.Response:
    """Candidates were taken (204), or ICE was restarted (200, RFC 9725 §4.3.3)."""
    if patched.body is None:
        return web.Response(status=204)
    return web.Response(
        body=patched.body.encode(), content_type=FRAGMENT, headers={"ETag": str(patched.etag)}
    )


async def endpoint_options(_: object) -> web.Response:
    """What may be posted."""
    return web.Response(status=204, headers={"Accept-Post": SDP})


async def session_options(_: object) -> web.Response:
    """What a session may be patched with."""
    return web.Response(status=204, headers={"Accept-Patch": FRAGMENT})
