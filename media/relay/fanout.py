"""One packet in, one to every viewer out: the send path of a stream.

`Fanout` is what the relay needs of it, shaped so that a native module can stand in: batches of
plain packets go in, system calls come out, and which viewer gets what is decided in here.
`PythonFanout` is the specification of that and the fallback.

Nothing is queued. A viewer's video starts with a keyframe and its audio at once; a packet that the
socket does not take at once is lost to that viewer and counted, and if it was video, so is what
follows up to the next keyframe. What was encrypted keeps its number even when it was not sent: the
number never stands for another packet. A later `resend` goes by RTX where that was negotiated; else
it is the identical bytes, or nothing where the header says when the packet was sent.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from media.relay.datagrams import DatagramSender
from media.relay.egress import ViewerEgress, runs_of
from media.relay.packet_cache import PacketCache
from media.relay.stats import FanoutCounters
from media.relay.tracks import KINDS, Address, Kind, RelayPacket, SentTrack, Viewer

MAX_BATCH: Final = 64
"""Packets that are handled at a stride; what one read of the socket yields is no more."""


class Fanout(Protocol):
    """The viewers of one stream and the way to them. Unknown viewer ids are ignored."""

    @property
    def counters(self) -> FanoutCounters:
        """What was sent, dropped and resent."""

    @property
    def waiting(self) -> int:
        """How many viewers wait for a keyframe."""

    def add_viewer(self, viewer: Viewer) -> None:
        """Serve `viewer` from the next packet on. Raises ValueError where the id is taken."""

    def remove_viewer(self, viewer_id: int) -> None:
        """Forget a viewer."""

    def set_address(self, viewer_id: int, address: Address) -> None:
        """Send to `address` from now on."""

    def pause(self, viewer_id: int) -> None:
        """Send nothing until `resume`; what was left out leaves no gap."""

    def resume(self, viewer_id: int) -> None:
        """Go on: audio at once, video with the next keyframe."""

    def send(self, batch: Sequence[RelayPacket], now: float) -> None:
        """Keep the packets for `resend` and send them to every viewer that is ready for them."""

    def resend(self, viewer_id: int, ssrc: int, sequences: Sequence[int], now: float) -> None:
        """Send packets again, named by a viewer's 16-bit numbers, as far as they are still kept."""

    def sent(self, viewer_id: int) -> Sequence[SentTrack]:
        """What went to a viewer so far, track by track; tracks that did not start are left out."""


class PythonFanout:
    """A `Fanout` in Python: a loop over the viewers, one run of datagrams for each."""

    def __init__(
        self,
        sender: DatagramSender,
        *,
        cache_max_packets: int,
        cache_max_bytes: int,
        cache_s: float,
    ) -> None:
        self._sender = sender
        self._viewers: dict[int, ViewerEgress] = {}
        self._waiting: set[int] = set()
        self._caches: dict[Kind, PacketCache] = {
            kind: PacketCache(cache_max_packets, cache_max_bytes, cache_s) for kind in KINDS
        }
        self._counters = FanoutCounters()

    @property
    def counters(self) -> FanoutCounters:
        return self._counters

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def add_viewer(self, viewer: Viewer) -> None:
        if viewer.viewer_id in self._viewers:
            raise ValueError(f"viewer {viewer.viewer_id} is served already")
        self._viewers[viewer.viewer_id] = egress = ViewerEgress(viewer, self._counters)
        self._note_waiting(viewer.viewer_id, egress)

    def remove_viewer(self, viewer_id: int) -> None:
        self._viewers.pop(viewer_id, None)
        self._waiting.discard(viewer_id)

    def set_address(self, viewer_id: int, address: Address) -> None:
        if egress := self._viewers.get(viewer_id):
            egress.address = address

    def pause(self, viewer_id: int) -> None:
        if egress := self._viewers.get(viewer_id):
            egress.pause()
            self._waiting.discard(viewer_id)

    def resume(self, viewer_id: int) -> None:
        if egress := self._viewers.get(viewer_id):
            egress.resume()
            self._note_waiting(viewer_id, egress)

    def send(self, batch: Sequence[RelayPacket], now: float) -> None:
        for start in range(0, len(batch), MAX_BATCH):
            self._send(batch[start : start + MAX_BATCH], now)

    def _send(self, batch: Sequence[RelayPacket], now: float) -> None:
        # What a viewer was sent under a number is what it must get again: each number comes once.
        fresh = [packet for packet in batch if self._caches[packet.kind].add(packet, now)]
        runs = list(runs_of(fresh))
        counters, send = self._counters, self._sender.send
        for viewer_id, egress in self._viewers.items():
            datagrams = egress.send(runs, now)
            if not datagrams:
                continue
            taken = send(datagrams, egress.address)
            counters.forwarded += taken
            if taken < len(datagrams):
                egress.lost(len(datagrams) - taken, runs)
                self._note_waiting(viewer_id, egress)
        if self._waiting and any(packet.keyframe for packet in fresh):
            self._waiting = {id_ for id_ in self._waiting if self._viewers[id_].is_waiting}

    def resend(self, viewer_id: int, ssrc: int, sequences: Sequence[int], now: float) -> None:
        egress = self._viewers.get(viewer_id)
        if egress is None:
            return
        for start in range(0, len(sequences), MAX_BATCH):
            asked = sequences[start : start + MAX_BATCH]
            datagrams = egress.send_again(ssrc, asked, self._caches, now)
            if datagrams:
                self._counters.resent += self._sender.send(datagrams, egress.address)

    def sent(self, viewer_id: int) -> Sequence[SentTrack]:
        egress = self._viewers.get(viewer_id)
        return egress.sent() if egress else ()

    def _note_waiting(self, viewer_id: int, egress: ViewerEgress) -> None:
        if egress.is_waiting:
            self._waiting.add(viewer_id)
