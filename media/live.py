"""A stream as the worker has it: its publisher, its viewers, its relay.

    starting ──connected──▶ live ──lost, replaced──▶ interrupted ──expired──▶ ended
                              ◀──────connected───────────┘

Any of them ends when `stopped`; a stream that is `starting` also when its publisher is `lost`.

`lost`: the publisher's session ended, but not by its own DELETE. `replaced`: it came back with a
new session before its former one was given up. `expired`: it did not come back within the reconnect
window. `stopped`: by its DELETE, by the owner, or by an admin.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

from media.relay.overrun import Overrun
from media.relay.stats import TrackStats
from media.relay.stream import StreamRelay
from media.session import Session
from media.wire.negotiate import PublishedTrack

# As people write them; SDP doesn't mind the case, and so every client writes its own.
_CODEC_NAMES = {"h264": "H264", "vp8": "VP8", "vp9": "VP9", "av1": "AV1", "opus": "Opus"}


class StreamState(StrEnum):
    """What there is to see; only `live` and `interrupted` are ever told to people."""

    STARTING = "starting"
    LIVE = "live"
    INTERRUPTED = "interrupted"
    ENDED = "ended"


class StreamEvent(StrEnum):
    """What takes a stream to another state."""

    CONNECTED = "connected"
    LOST = "lost"
    REPLACED = "replaced"
    EXPIRED = "expired"
    STOPPED = "stopped"


TRANSITIONS: dict[StreamState, dict[StreamEvent, StreamState]] = {
    StreamState.STARTING: {
        StreamEvent.CONNECTED: StreamState.LIVE,
        StreamEvent.LOST: StreamState.ENDED,
        StreamEvent.REPLACED: StreamState.STARTING,
        StreamEvent.STOPPED: StreamState.ENDED,
    },
    StreamState.LIVE: {
        StreamEvent.LOST: StreamState.INTERRUPTED,
        StreamEvent.REPLACED: StreamState.INTERRUPTED,
        StreamEvent.STOPPED: StreamState.ENDED,
    },
    StreamState.INTERRUPTED: {
        StreamEvent.CONNECTED: StreamState.LIVE,
        StreamEvent.LOST: StreamState.INTERRUPTED,  # it came back, but could not connect
        StreamEvent.REPLACED: StreamState.INTERRUPTED,
        StreamEvent.EXPIRED: StreamState.ENDED,
        StreamEvent.STOPPED: StreamState.ENDED,
    },
    StreamState.ENDED: {},
}


@dataclass(frozen=True, slots=True)
class StreamStats:
    """What is counted of a stream since it began."""

    state: StreamState
    viewers: int
    uptime_s: float
    tracks: tuple[TrackStats, ...]
    packets_forwarded: int
    packets_dropped: int
    packets_resent: int
    keyframe_requests: int


@dataclass(slots=True, eq=False)
class LiveStream:
    """One stream between its first publisher session and its end."""

    number: int
    """The plane's name for it."""
    stream_id: UUID
    publisher_id: UUID
    relay: StreamRelay
    cname: str
    """RFC 7022: names the source of all its tracks, so that viewers play them in sync."""
    state: StreamState = StreamState.STARTING
    published: tuple[PublishedTrack, ...] = ()
    """The tracks of the publisher that was connected last."""
    publisher: Session | None = None
    feed: int | None = None
    """The peer that feeds the stream where it is published at another worker."""
    edges: set[int] = field(default_factory=set)
    """The peers that other workers pull the stream by; they are no viewers."""
    viewers: dict[int, Session] = field(default_factory=dict)
    """Connected and connecting viewers by session number."""
    watching: int = 0
    """Connected viewers."""
    live_at: float | None = None
    """When a publisher first connected."""
    interrupted_at: float = 0.0
    overrun: Overrun = field(default_factory=Overrun)
    """For how long its publisher has sent too much."""

    @property
    def is_watchable(self) -> bool:
        """Whether viewers may join: during an interruption they wait with the others."""
        return self.state in (StreamState.LIVE, StreamState.INTERRUPTED)

    def on(self, event: StreamEvent) -> None:
        """Change the state. Raises KeyError where the table has no such transition: a bug."""
        self.state = TRANSITIONS[self.state][event]

    @property
    def source(self) -> int | None:
        """The peer whose packets are relayed."""
        return self.publisher.number if self.publisher is not None else self.feed

    def is_expired(self, now: float, window_s: float) -> bool:
        """Whether the publisher has been away for too long and isn't about to connect."""
        is_waiting = self.state is StreamState.INTERRUPTED and self.source is None
        return is_waiting and now - self.interrupted_at > window_s

    def stats(self, now: float) -> StreamStats:
        """The figures at `now`."""
        counted = self.relay.stats(now)
        return StreamStats(
            state=self.state,
            viewers=self.watching,
            uptime_s=round(now - (self.live_at or now), 1),
            tracks=tuple(replace(t, codec=_CODEC_NAMES[t.codec]) for t in counted.tracks),
            packets_forwarded=counted.packets_forwarded,
            packets_dropped=counted.packets_dropped,
            packets_resent=counted.packets_resent,
            keyframe_requests=counted.keyframe_requests,
        )
