"""Where each stream is, as the pool knows it from what it asked and what workers told.

`live`, `interrupted` and `ended` are what its worker tells. `worker_lost`: that worker died. Then
the stream is stranded: its sessions there are over, and it waits for its publisher, on whichever
worker, for as long as an interrupted one does. A stream that was only starting ends with it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from media.events import (
    MediaEvent,
    SessionsLost,
    StreamEnded,
    StreamInterrupted,
    StreamLive,
    ViewersChanged,
)


class PlacedState(StrEnum):
    """What the pool knows of a stream."""

    STARTING = "starting"
    LIVE = "live"
    INTERRUPTED = "interrupted"
    STRANDED = "stranded"
    ENDED = "ended"


class PlacedEvent(StrEnum):
    """What takes a stream to another state."""

    LIVE = "live"
    INTERRUPTED = "interrupted"
    WORKER_LOST = "worker_lost"
    ENDED = "ended"


TRANSITIONS: dict[PlacedState, dict[PlacedEvent, PlacedState]] = {
    PlacedState.STARTING: {
        PlacedEvent.LIVE: PlacedState.LIVE,
        PlacedEvent.WORKER_LOST: PlacedState.ENDED,
        PlacedEvent.ENDED: PlacedState.ENDED,
    },
    PlacedState.LIVE: {
        PlacedEvent.INTERRUPTED: PlacedState.INTERRUPTED,
        PlacedEvent.WORKER_LOST: PlacedState.STRANDED,
        PlacedEvent.ENDED: PlacedState.ENDED,
    },
    PlacedState.INTERRUPTED: {
        PlacedEvent.LIVE: PlacedState.LIVE,
        PlacedEvent.WORKER_LOST: PlacedState.STRANDED,
        PlacedEvent.ENDED: PlacedState.ENDED,
    },
    PlacedState.STRANDED: {
        PlacedEvent.LIVE: PlacedState.LIVE,
        # An edge that has taken the origin's place waits for the publisher as its own.
        PlacedEvent.INTERRUPTED: PlacedState.INTERRUPTED,
        PlacedEvent.WORKER_LOST: PlacedState.STRANDED,
        PlacedEvent.ENDED: PlacedState.ENDED,
    },
    PlacedState.ENDED: {},
}


@dataclass(slots=True, eq=False)
class PlacedStream:
    """One stream between its first offer and its end."""

    stream_id: UUID
    publisher_id: UUID
    worker: str | None
    """Where it is published; None while it is stranded and nobody has begun to publish it again."""
    forget_at: float
    """When it is given up while it is starting or stranded."""
    state: PlacedState = PlacedState.STARTING
    claims: int = 0
    """Publishers whose offers the worker has not answered yet."""
    is_expected: bool = False
    """Whether the worker took a publisher, who is connecting or was connected."""
    viewers: dict[str, int] = field(default_factory=dict)
    """Connected viewers by worker."""

    def on(self, event: PlacedEvent) -> bool:
        """Change the state; whether the table has such a transition."""
        new = TRANSITIONS[self.state].get(event)
        self.state = new or self.state
        return new is not None

    @property
    def watching(self) -> int:
        """Connected viewers over all workers."""
        return sum(self.viewers.values())


StateEvent = StreamLive | StreamInterrupted | StreamEnded

_STATE_EVENTS: Final[dict[type[MediaEvent], PlacedEvent]] = {
    StreamLive: PlacedEvent.LIVE,
    StreamInterrupted: PlacedEvent.INTERRUPTED,
    StreamEnded: PlacedEvent.ENDED,
}


class StreamTable:
    """All streams of the pool. Methods give the events that the rest of the house is to hear."""

    def __init__(self, *, starting_s: float, stranded_s: float) -> None:
        self._starting_s = starting_s
        self._stranded_s = stranded_s
        self._streams: dict[UUID, PlacedStream] = {}

    def __len__(self) -> int:
        return len(self._streams)

    def find(self, stream_id: UUID) -> PlacedStream | None:
        """The stream, wherever it is."""
        return self._streams.get(stream_id)

    def live(self) -> list[UUID]:
        """The streams that can be watched, or could until a moment ago and may be again."""
        starting = PlacedState.STARTING
        return [each.stream_id for each in self._streams.values() if each.state is not starting]

    def claim(self, stream_id: UUID, publisher_id: UUID, worker: str, now: float) -> None:
        """A publisher is offered to this worker; `settle` is to follow."""
        until = now + self._starting_s
        stream = self._streams.get(stream_id)
        if stream is None:
            stream = PlacedStream(stream_id, publisher_id, worker, until)
            self._streams[stream_id] = stream
        stream.worker, stream.forget_at = worker, max(stream.forget_at, until)
        stream.claims += 1

    def settle(self, stream_id: UUID, worker: str, *, is_taken: bool) -> None:
        """The worker took the publisher, or refused: then a stream without any is forgotten."""
        stream = self._streams.get(stream_id)
        if stream is None or stream.worker != worker:
            return  # the worker died in the meantime
        stream.claims -= 1
        stream.is_expected |= is_taken
        if stream.claims or stream.is_expected:
            return
        if stream.state is PlacedState.STARTING:
            del self._streams[stream_id]
        elif stream.state is PlacedState.STRANDED:
            stream.worker = None

    def apply(self, worker: str, event: MediaEvent) -> list[MediaEvent]:
        """What a worker told of one of its streams."""
        stream = self._streams.get(event.stream_id)
        change = _CHANGES.get(type(event))
        return [] if stream is None or change is None else change(self, stream, worker, event)

    def strand(self, worker: str, now: float) -> list[MediaEvent]:
        """The worker died, and with it the sessions that it had."""
        events: list[MediaEvent] = []
        for stream in list(self._streams.values()):
            had_viewers = stream.viewers.pop(worker, 0) > 0
            if stream.worker == worker:
                events += self._lose(stream, now)
            elif had_viewers:
                events += _told_viewers(stream), SessionsLost(stream.stream_id)
        return events

    def expire(self, now: float) -> list[MediaEvent]:
        """Give up the streams whose publishers did not come (back) in time."""
        waiting = (PlacedState.STARTING, PlacedState.STRANDED)
        events: list[MediaEvent] = []
        for stream in list(self._streams.values()):
            if stream.state in waiting and now >= stream.forget_at:
                events += self.end(stream.stream_id, "The publisher did not come back.")
        return events

    def end(self, stream_id: UUID, reason: str, held_s: float = 0.0) -> list[MediaEvent]:
        """Forget a stream that no worker has any more."""
        stream = self._streams.pop(stream_id, None)
        if stream is None:
            return []
        is_known = stream.state is not PlacedState.STARTING
        stream.on(PlacedEvent.ENDED)
        return [StreamEnded(stream_id, reason, held_s)] if is_known else []

    def _lose(self, stream: PlacedStream, now: float) -> list[MediaEvent]:
        was = stream.state
        stream.on(PlacedEvent.WORKER_LOST)
        if stream.state is PlacedState.ENDED:
            del self._streams[stream.stream_id]
            return []
        stream.worker, stream.forget_at = None, now + self._stranded_s
        stream.claims, stream.is_expected = 0, False
        events: list[MediaEvent] = []
        if was is PlacedState.LIVE:
            events.append(StreamInterrupted(stream.stream_id))
        return [*events, _told_viewers(stream), SessionsLost(stream.stream_id)]

    def _on_state(self, stream: PlacedStream, worker: str, event: StateEvent) -> list[MediaEvent]:
        if worker != stream.worker:
            # States of an edge are nobody else's business, but its viewers end with its stream.
            ended = isinstance(event, StreamEnded) and stream.viewers.pop(worker, 0) > 0
            return [_told_viewers(stream)] if ended else []
        if isinstance(event, StreamEnded):
            return self.end(event.stream_id, event.reason, event.held_s)
        return [event] if stream.on(_STATE_EVENTS[type(event)]) else []

    def _on_viewers(
        self, stream: PlacedStream, worker: str, event: ViewersChanged
    ) -> list[MediaEvent]:
        stream.viewers[worker] = event.count
        return [_told_viewers(stream)]


def _told_viewers(stream: PlacedStream) -> ViewersChanged:
    return ViewersChanged(stream.stream_id, stream.watching)


_CHANGES: Final[dict[type[MediaEvent], Callable[[StreamTable, PlacedStream, str, Any], Any]]] = {
    **dict.fromkeys(_STATE_EVENTS, StreamTable._on_state),
    ViewersChanged: StreamTable._on_viewers,
}
