"""WHEP: watching by HTTP (draft-ietf-wish-whep), thin over the media worker.

A session's URL can't be guessed and is its capability: whoever has it may patch and end it.
"""

from aiohttp import web

from server.gateway.route import Call
from server.http.sdp import accepted_response, patched_response


async def watch(call: Call) -> web.Response:
    """Begin to watch: an SDP offer for an answer."""
    stream = await call.services.catalog.get(call.uuid("stream_id"))
    accepted = await call.services.media.watch(stream.stream_id, call.text)
    return accepted_response("whep", stream.stream_id, accepted)


async def patch(call: Call) -> web.Response:
    """Trickle ICE candidates, or restart ICE."""
    return patched_response(
        await call.services.media.patch_viewer(
            call.uuid("stream_id"),
            call.request.match_info["session_id"],
            call.text,
            call.request.headers.get("If-Match"),
        )
    )


async def end(call: Call) -> web.Response:
    """Stop watching."""
    await call.services.media.end_viewer(
        call.uuid("stream_id"), call.request.match_info["session_id"]
    )
    return web.Response()
