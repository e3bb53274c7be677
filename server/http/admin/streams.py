"""Live streams, seen and stopped by admins."""

from pydantic import Field

from server.gateway.body import Body
from server.gateway.route import Answer, Call
from server.http.streams import StreamList, stream_shape

MAX_REASON_CHARS = 500


class Reason(Body):
    """Why an admin does it; kept in the audit log."""

    reason: str = Field(min_length=1, max_length=MAX_REASON_CHARS)


async def listed(call: Call) -> Answer:
    """All streams that are live or interrupted."""
    streams = await call.services.catalog.live()
    return Answer(StreamList(streams=[stream_shape(item, call.services) for item in streams]))


async def stop(call: Call) -> Answer:
    """End a live session; the stream can't be published again for a while."""
    stream = await call.services.catalog.get(call.uuid("stream_id"))
    await call.services.media.stop_stream(
        stream.stream_id, "An admin stopped this stream.", hold=True
    )
    return Answer(status=204)
