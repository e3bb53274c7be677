"""The native fan-out alone in a tight loop: what C code and kernel cost, nothing around them.

The packets are made before the clock runs, as the ingress would hand them over.
"""

import resource
import socket
from collections.abc import Callable, Sequence
from itertools import count

from bench.media.stream import AUDIO_PAYLOAD_TYPE, BURST, DELTA, KEYFRAME, VIDEO_PAYLOAD_TYPE
from bench.media.stream import Publisher as BytesPublisher
from config.media import MediaSettings
from media.relay.tracks import Address, Kind, RelayPacket, Viewer, ViewerTrack
from media.transport.srtp import SrtpKeys
from media.wire.rtp import HEADER_SIZE, parse_rtp

Packets = list[list[RelayPacket]]

try:
    from media.relay.native_fanout import NativeFanout
except ImportError:
    IS_BUILT = False
else:
    IS_BUILT = True


class Publisher:
    """The stream of `bench.media.stream` as the relay's packets."""

    def __init__(self) -> None:
        self._bytes = BytesPublisher()
        self._numbers: dict[Kind, count[int]] = {"video": count(), "audio": count()}

    def second(self, *, burst: int = BURST) -> Packets:
        """The packets of the next second, in the batches that a socket would give."""
        return [[self._packet(raw) for raw in batch] for batch in self._bytes.second(burst=burst)]

    def _packet(self, raw: bytes) -> RelayPacket:
        header = parse_rtp(raw)
        kind: Kind = "video" if header.payload_type == VIDEO_PAYLOAD_TYPE else "audio"
        payload = raw[HEADER_SIZE:]
        keyframe = kind == "audio" or payload.startswith(KEYFRAME)
        assert keyframe or payload.startswith(DELTA)
        number = next(self._numbers[kind])
        return RelayPacket(kind, number, header.timestamp, header.marker, keyframe, payload)


class NativeEgress:
    """A native fan-out with its viewers and a stream of its own."""

    def __init__(
        self,
        sock: socket.socket,
        sinks: Sequence[Address],
        fresh_keys: Callable[[], SrtpKeys],
        *,
        segments: bool,
    ) -> None:
        settings = MediaSettings()
        self._fanout = NativeFanout(
            sock,
            cache_max_packets=settings.cache_max_packets,
            cache_max_bytes=settings.cache_max_bytes,
            cache_s=settings.cache_s,
        )
        self._fanout.segments = self._fanout.segments and segments
        for number, sink in enumerate(sinks):
            tracks = (
                ViewerTrack("video", VIDEO_PAYLOAD_TYPE, 2 * number),
                ViewerTrack("audio", AUDIO_PAYLOAD_TYPE, 2 * number + 1),
            )
            self._fanout.add_viewer(Viewer(number, tracks, fresh_keys(), sink))
        self.publisher = Publisher()
        self._now = 0.0
        self._used = (0.0, 0.0)

    def run(self, batches: Packets) -> None:
        """Forward a second of the stream."""
        before = resource.getrusage(resource.RUSAGE_SELF)
        for batch in batches:
            self._now += 1 / len(batches)
            self._fanout.send(batch, self._now)
        after = resource.getrusage(resource.RUSAGE_SELF)
        user, system = self._used
        self._used = (
            user + after.ru_utime - before.ru_utime,
            system + after.ru_stime - before.ru_stime,
        )

    @property
    def kernel_share(self) -> float:
        """The part of the CPU time so far that was the kernel's."""
        user, system = self._used
        return system / (user + system)

    @property
    def forwarded(self) -> int:
        return self._fanout.counters.forwarded
