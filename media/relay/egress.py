"""One viewer of a stream: its address, its tracks, and what it waits for."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter

from media.relay.lane import Lane
from media.relay.packet_cache import PacketCache
from media.relay.packet_writer import TransportSequence
from media.relay.stats import FanoutCounters
from media.relay.tracks import Address, Kind, RelayPacket, SentTrack, Viewer

Run = tuple[Kind, Sequence[RelayPacket]]
"""Consecutive packets of one kind: what a viewer takes at a stride."""


def runs_of(batch: Sequence[RelayPacket]) -> Iterator[Run]:
    """The runs of a batch, in order."""
    for kind, packets in groupby(batch, attrgetter("kind")):
        yield kind, list(packets)


class ViewerEgress:
    """Turns batches into the datagrams of one viewer."""

    def __init__(self, viewer: Viewer, counters: FanoutCounters) -> None:
        self.address: Address = viewer.address
        self._counters = counters
        transport = TransportSequence()
        self._lanes: dict[Kind, Lane] = {
            track.kind: Lane(track, viewer.keys, transport, counters) for track in viewer.tracks
        }
        self._paused = False

    @property
    def is_waiting(self) -> bool:
        """Whether a keyframe is what this viewer needs next."""
        video = self._lanes.get("video")
        return video is not None and video.waiting and not self._paused

    def pause(self) -> None:
        """Take nothing."""
        self._paused = True

    def resume(self) -> None:
        """Begin again with the next packet that needs none before it."""
        self._paused = False
        for lane in self._lanes.values():
            lane.waiting = True

    def send(self, runs: Sequence[Run], now: float) -> list[bytes]:
        """The datagrams of those packets that this viewer is ready for."""
        datagrams: list[bytes] = []
        if self._paused:
            return datagrams
        for kind, packets in runs:
            lane = self._lanes.get(kind)
            if lane is not None:
                lane.send(packets, now, datagrams)
        return datagrams

    def lost(self, datagrams: int, runs: Sequence[Run]) -> None:
        """The last few `datagrams` of these runs could not be sent: was video among them, it waits.

        To tell which they were would cost more than it saves; all of the runs are suspected.
        """
        self._counters.dropped += datagrams
        video = self._lanes.get("video")
        if video is not None and any(kind == "video" for kind, _ in runs):
            video.waiting = True

    def send_again(
        self, ssrc: int, sequences: Sequence[int], caches: Mapping[Kind, PacketCache], now: float
    ) -> list[bytes]:
        """What repeats the packets with these 16-bit numbers of that track, as far as kept."""
        datagrams: list[bytes] = []
        for lane in self._lanes.values():
            if lane.ssrc == ssrc:
                lane.send_again(sequences, caches[lane.kind], now, datagrams)
        return datagrams

    def sent(self) -> list[SentTrack]:
        """The tracks that have begun, and how much of each was encrypted."""
        return [
            SentTrack(lane.kind, lane.ssrc, lane.timestamp_offset, lane.packets, lane.octets)
            for lane in self._lanes.values()
            if lane.packets
        ]
