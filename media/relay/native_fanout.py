"""The fan-out in C, as a `Fanout`: one loop over the viewers without a Python object in it.

It sends in the caller's thread and lets others run meanwhile. Import it where the native module was
built; `media.relay.fanout.PythonFanout` means the same everywhere.
"""

import socket
from collections.abc import Callable, Sequence

from media import _native
from media.relay.stats import FanoutCounters
from media.relay.tracks import Address, RelayPacket, SentTrack, Viewer

SendMessage = Callable[[bytes, int, Address], int]
"""(datagrams, segment, address) to an errno: stands in for the socket's `sendmsg`."""


class NativeFanout:
    """A `Fanout` over a non-blocking UDP socket, which the caller owns, or over a function.

    `add_viewer` raises ValueError also where `max_viewers` are served, and any method RuntimeError
    where another thread is in one.
    """

    def __init__(
        self,
        sender: socket.socket | SendMessage,
        *,
        cache_max_packets: int,
        cache_max_bytes: int,
        cache_s: float,
    ) -> None:
        self._sender = sender  # so that its descriptor stays open
        self._native = _native.Fanout(
            sender,
            cache_max_packets=cache_max_packets,
            cache_max_bytes=cache_max_bytes,
            cache_s=cache_s,
        )

    @property
    def counters(self) -> FanoutCounters:
        return FanoutCounters(*self._native.counters)

    @property
    def waiting(self) -> int:
        return self._native.waiting

    @property
    def segments(self) -> bool:
        """Whether datagrams of one size go to the kernel as one; False once it refused."""
        return self._native.segments

    @segments.setter
    def segments(self, segments: bool) -> None:
        self._native.segments = segments

    def add_viewer(self, viewer: Viewer) -> None:
        self._native.add_viewer(viewer)

    def remove_viewer(self, viewer_id: int) -> None:
        self._native.remove_viewer(viewer_id)

    def set_address(self, viewer_id: int, address: Address) -> None:
        self._native.set_address(viewer_id, address)

    def pause(self, viewer_id: int) -> None:
        self._native.pause(viewer_id)

    def resume(self, viewer_id: int) -> None:
        self._native.resume(viewer_id)

    def send(self, batch: Sequence[RelayPacket], now: float) -> None:
        self._native.send(batch, now)

    def resend(self, viewer_id: int, ssrc: int, sequences: Sequence[int], now: float) -> None:
        self._native.resend(viewer_id, ssrc, sequences, now)

    def sent(self, viewer_id: int) -> Sequence[SentTrack]:
        return [SentTrack._make(track) for track in self._native.sent(viewer_id)]
