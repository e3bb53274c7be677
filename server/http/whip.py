"""WHIP: publishing by HTTP (RFC 9725), thin over the media worker."""

from aiohttp import web

from server.gateway.route import Call
from server.http.sdp import accepted_response, patched_response


async def publish(call: Call) -> web.Response:
    """Begin to publish: an SDP offer for an answer."""
    stream = await call.services.catalog.get(call.uuid("stream_id"))
    accepted = await call.services.media.publish(stream.stream_id, stream.owner_id, call.text)
    return accepted_response("whip", stream.stream_id, accepted)


async def patch(call: Call) -> web.Response:
    """Trickle ICE candidates, or restart ICE."""
    return patched_response(
        await call.services.media.patch_publisher(
            call.uuid("stream_id"),
            call.request.match_info["session_id"],
            call.text,
            call.request.headers.get("If-Match"),
        )
    )


async def end(call: Call) -> web.Response:
    """Stop publishing."""
    await call.services.media.end_publisher(
        call.uuid("stream_id"), call.request.match_info["session_id"]
    )
    return web.Response()
