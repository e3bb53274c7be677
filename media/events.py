"""What the media plane tells the rest of the house, as it happens."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class StreamLive:
    """A publisher is connected, for the first time or again."""

    stream_id: UUID


@dataclass(frozen=True, slots=True)
class StreamInterrupted:
    """The publisher is gone; the stream waits for it, its viewers stay."""

    stream_id: UUID


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """The stream is over and its viewers are disconnected; `reason` is for people."""

    stream_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class ViewersChanged:
    """Another number of viewers is connected on this worker."""

    stream_id: UUID
    count: int


MediaEvent = StreamLive | StreamInterrupted | StreamEnded | ViewersChanged
