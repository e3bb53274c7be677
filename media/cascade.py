"""The two ends of a feed in a worker: what the control channel asks of them.

A stream that is fed has no publisher's session here; the feed takes its place. When the feed is
gone, the stream is interrupted, and its viewers stay, until another feed or a publisher comes.
"""

import logging
from collections.abc import Callable
from uuid import UUID

from media.errors import StreamBusy, StreamOffline
from media.feeds import Feed, Link, feed_tracks, viewer_tracks
from media.live import LiveStream
from media.registry import Registry
from media.relay.tracks import Viewer
from media.session import Role

_logger = logging.getLogger(__name__)


class Cascade:
    """Feeds of one worker. `make_stream` gives a stream that is not among the registry's yet, by
    its id and its publisher's, and a cname.
    """

    def __init__(
        self, registry: Registry, make_stream: Callable[[UUID, UUID, str], LiveStream]
    ) -> None:
        self._registry = registry
        self._make_stream = make_stream

    @property
    def pulled(self) -> int:
        """Streams that come from another worker."""
        return sum(stream.feed is not None for stream in self._registry.streams.values())

    def deaf(self, now: float, silence_s: float) -> tuple[UUID, ...]:
        """Streams that are pulled from another worker of which nothing has been heard for so long.

        Either its publisher sends nothing, or the way between the workers is blocked.
        """
        heard_at = self._registry.traffic.feed_heard_at
        return tuple(
            stream.stream_id
            for stream in self._registry.streams.values()
            if stream.feed is not None and now - heard_at(stream.feed) > silence_s
        )

    def open_feed(self, stream_id: UUID, link: Link, now: float) -> Feed:
        """Send a stream that is published here to an edge. Raises StreamOffline."""
        stream = self._registry.streams.get(stream_id)
        if stream is None or not stream.is_watchable or stream.feed is not None:
            raise StreamOffline
        tracks = feed_tracks(stream.published)
        keys, address = link.keys.at_origin(), link.address
        ssrcs = [link.feedback_ssrc]
        self._registry.traffic.add_feed(
            link.number, Role.VIEWER, keys, address, stream, ssrcs=ssrcs, now=now
        )
        stream.edges.add(link.number)
        stream.relay.add_viewer(Viewer(link.number, viewer_tracks(tracks), keys, address), now)
        self._log("feed opened", stream)
        return Feed(stream.published, tracks, stream.cname)

    def close_feed(self, stream_id: UUID, number: int) -> None:
        """Send it no longer; where it is not sent, nothing changes."""
        stream = self._registry.streams.get(stream_id)
        if stream is not None and number in stream.edges:
            stream.edges.remove(number)
            stream.relay.remove_viewer(number)
            self._registry.traffic.remove_feed(number)
            self._log("feed closed", stream)

    def pull(
        self, stream_id: UUID, publisher_id: UUID, link: Link, feed: Feed, *, now: float
    ) -> None:
        """Take a feed in: a new stream, or a new feed of one that is here. Viewers of that one who
        lack the codecs are disconnected. Raises StreamBusy where its publisher is here."""
        stream = self._registry.streams.get(stream_id)
        if stream is not None and stream.publisher is not None:
            raise StreamBusy
        if stream is None:
            stream = self._make_stream(stream_id, publisher_id, feed.cname)
        else:
            self._registry.drop_feed(stream, now)
        keys = link.keys.at_edge()
        ssrcs = [track.ssrc for track in feed.tracks if track.ssrc is not None]
        self._registry.traffic.add_feed(
            link.number, Role.PUBLISHER, keys, link.address, stream, ssrcs=ssrcs, now=now
        )
        stream.feed = link.number
        self._registry.connect(
            stream, link.number, feed.published, feed.tracks, now, told_by=link.feedback_ssrc
        )
        self._log("feed taken in", stream)

    def unlink(self, stream_id: UUID, now: float) -> None:
        """The origin is gone: viewers here wait for another feed, or for the publisher."""
        stream = self._registry.streams.get(stream_id)
        if stream is not None:
            self._registry.drop_feed(stream, now)
            self._log("feed lost", stream)

    def _log(self, message: str, stream: LiveStream) -> None:
        _logger.info(message, extra={"stream_id": str(stream.stream_id)})
