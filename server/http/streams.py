"""The catalogue of streams: what is live, and what an owner does with their own."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BeforeValidator

from media.catalog import CatalogState, Stream
from server.gateway.body import Body
from server.gateway.route import Answer, Call
from server.http.shapes import Instant, Shape
from server.services import Services

MAX_LISTED = 100


def codec_name(codec: str) -> str:
    """The name of a codec as people write it; the media plane keeps them in lower case."""
    return "Opus" if codec.lower() == "opus" else codec.upper()


class Owner(Shape):
    """Whose stream it is."""

    user_id: UUID
    display_name: str


class StreamShape(Shape):
    """A stream as everyone sees it."""

    stream_id: UUID
    title: str
    state: CatalogState
    viewers: int
    started_at: Instant | None
    owner: Owner
    whep_url: str


class StreamWithKey(StreamShape):
    """A stream and its key, which is shown this once."""

    stream_key: str
    whip_url: str


class StreamList(Shape):
    """Streams."""

    streams: list[StreamShape]


CodecName = Annotated[str, BeforeValidator(codec_name)]


class TrackStatsShape(Shape):
    """One incoming track."""

    kind: Literal["audio", "video"]
    codec: CodecName
    bitrate_bps: int
    packets: int
    lost: int


class StreamStatsShape(Shape):
    """What the media plane counted since the stream began."""

    state: CatalogState
    viewers: int = 0
    uptime_s: float = 0.0
    tracks: tuple[TrackStatsShape, ...] = ()
    packets_forwarded: int = 0
    packets_dropped: int = 0
    packets_resent: int = 0
    keyframe_requests: int = 0


class Title(Body):
    """What a stream is called."""

    title: str


def stream_shape(stream: Stream, services: Services) -> StreamShape:
    """`stream` with its viewers of this moment."""
    return StreamShape(
        stream_id=stream.stream_id,
        title=stream.title,
        state=stream.state,
        viewers=services.media.viewers(stream.stream_id),
        started_at=stream.started_at,
        owner=Owner(user_id=stream.owner_id, display_name=stream.owner_name),
        whep_url=f"/whep/{stream.stream_id}",
    )


def _with_key(stream: Stream, key: str, services: Services) -> StreamWithKey:
    shape = stream_shape(stream, services)
    return StreamWithKey(**dict(shape), stream_key=key, whip_url=f"/whip/{stream.stream_id}")


async def listed(call: Call) -> Answer:
    """The streams that are live, most viewers first."""
    shapes = [
        stream_shape(stream, call.services)
        for stream in await call.services.catalog.live()
        if stream.state is CatalogState.LIVE
    ]
    shapes.sort(key=lambda shape: shape.viewers, reverse=True)
    return Answer(StreamList(streams=shapes[:MAX_LISTED]))


async def shown(call: Call) -> Answer:
    """One stream."""
    stream = await call.services.catalog.get(call.uuid("stream_id"))
    return Answer(stream_shape(stream, call.services))


async def owned(call: Call) -> Answer:
    """The caller's own streams."""
    streams = await call.services.catalog.owned(call.principal.user_id)
    return Answer(StreamList(streams=[stream_shape(item, call.services) for item in streams]))


async def create(call: Call) -> Answer:
    """Make a stream and its key."""
    stream, key = await call.services.catalog.create(
        call.principal.user_id, call.principal.display_name, call.read(Title).title
    )
    return Answer(_with_key(stream, key, call.services), status=201)


async def rename(call: Call) -> Answer:
    """Give a stream another title."""
    stream = await call.services.catalog.rename(call.uuid("stream_id"), call.read(Title).title)
    return Answer(stream_shape(stream, call.services))


async def rotate_key(call: Call) -> Answer:
    """Make a new key; the old one no longer works."""
    stream, key = await call.services.catalog.rotate_key(call.uuid("stream_id"))
    return Answer(_with_key(stream, key, call.services))


async def stop(call: Call) -> Answer:
    """End the live session."""
    await call.services.media.stop_stream(call.uuid("stream_id"), "The streamer stopped it.")
    return Answer(status=204)


async def stats(call: Call) -> Answer:
    """What the media plane counts of a stream."""
    counted = await call.services.media.stats(call.uuid("stream_id"))
    if counted is None:
        return Answer(StreamStatsShape(state=CatalogState.OFFLINE))
    return Answer(StreamStatsShape.model_validate(counted))
