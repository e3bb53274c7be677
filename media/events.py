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
    held_s: float = 0.0
    """How long it can't be published again."""


@dataclass(frozen=True, slots=True)
class ViewersChanged:
    """Another number of viewers is connected."""

    stream_id: UUID
    count: int


@dataclass(frozen=True, slots=True)
class SessionsLost:
    """A worker died and took sessions of this stream with it: whoever had one needs a new one.

    The clients can't hear it from the worker; those whose session is over find its URL gone (404).
    """

    stream_id: UUID


MediaEvent = StreamLive | StreamInterrupted | StreamEnded | ViewersChanged | SessionsLost
