"""One viewer of a stream: its numbering, its encryption, and what it waits for.

The loop in `ViewerEgress.protect` runs for every packet and viewer: it is the hot path.
"""

from collections.abc import Mapping, Sequence

from media.relay.packet_cache import PacketCache
from media.relay.protection import protector
from media.relay.seqmap import SeqMap
from media.relay.stats import FanoutCounters
from media.relay.tracks import Address, Kind, RelayPacket, SentTrack, Viewer, ViewerTrack
from media.wire.rtp import extend, pack_header


class _Lane:
    """One track towards one viewer.

    Numbering begins where the SSRC, which is random, puts it: the timestamps anywhere, the sequence
    in the lower half, so that the receiver can't be mistaken about the rollover counter when the
    first packets are lost (RFC 3711 §3.3.1).
    """

    __slots__ = (
        "kind",
        "octets",
        "packets",
        "protect",
        "second_byte",
        "sequences",
        "ssrc",
        "timestamp_offset",
        "waiting",
    )

    def __init__(self, track: ViewerTrack, viewer: Viewer) -> None:
        self.kind = track.kind
        self.ssrc = track.ssrc
        self.second_byte = (track.payload_type, 0x80 | track.payload_type)  # by marker
        self.timestamp_offset = track.ssrc
        self.sequences = SeqMap(first=track.ssrc & 0x7FFF)
        self.protect = protector(viewer.keys, track.ssrc)
        self.waiting = True
        self.packets = 0
        self.octets = 0

    def encrypt(self, packet: RelayPacket, index: int) -> bytes:
        """The datagram of `packet` under `index`: always the same, however often it is made."""
        header = pack_header(
            0x80,
            self.second_byte[packet.marker],
            index & 0xFFFF,
            (packet.timestamp + self.timestamp_offset) & 0xFFFFFFFF,
            self.ssrc,
        )
        return self.protect(header, packet.payload, index)


class ViewerEgress:
    """Turns batches into the datagrams of one viewer."""

    def __init__(self, viewer: Viewer, counters: FanoutCounters) -> None:
        self.address: Address = viewer.address
        self._counters = counters
        self._lanes: dict[Kind, _Lane] = {
            track.kind: _Lane(track, viewer) for track in viewer.tracks
        }
        self._paused = False

    @property
    def is_waiting(self) -> bool:
        """Whether a keyframe is what this viewer needs next."""
        video = self._lanes.get("video")
        return video is not None and video.waiting and not self._paused

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        """Begin again with the next packet that needs none before it."""
        self._paused = False
        for lane in self._lanes.values():
            lane.waiting = True

    def lost(self, datagrams: int, batch: Sequence[RelayPacket]) -> None:
        """Some of `batch` could not be sent: if that may have been video, skip to a keyframe."""
        self._counters.dropped += datagrams
        video = self._lanes.get("video")
        if video is not None and any(packet.kind == "video" for packet in batch):
            video.waiting = True

    def protect(self, batch: Sequence[RelayPacket]) -> list[bytes]:
        """The datagrams of those packets in `batch` that this viewer is ready for."""
        datagrams: list[bytes] = []
        if self._paused:
            return datagrams
        lanes = self._lanes
        for packet in batch:
            lane = lanes.get(packet.kind)
            if lane is None:
                continue
            if lane.waiting:
                if not packet.keyframe:
                    self._counters.dropped += lane.packets > 0
                    continue
                lane.sequences.skip_to(packet.sequence)
                lane.waiting = False
            index = lane.sequences.map(packet.sequence)
            if index is None:
                continue
            lane.packets += 1
            lane.octets += len(packet.payload)
            datagrams.append(lane.encrypt(packet, index))
        return datagrams

    def protect_again(
        self, ssrc: int, sequences: Sequence[int], caches: Mapping[Kind, PacketCache]
    ) -> list[bytes]:
        """The datagrams that have these 16-bit numbers, as far as their packets are still kept."""
        lane = next((lane for lane in self._lanes.values() if lane.ssrc == ssrc), None)
        if lane is None:
            return []
        cache = caches[lane.kind]
        datagrams = []
        for sequence in sequences:
            index = extend(sequence, lane.sequences.next_outgoing)
            source = lane.sequences.source(index)
            packet = cache.get(source) if source is not None else None
            if packet is not None:
                datagrams.append(lane.encrypt(packet, index))
        return datagrams

    def sent(self) -> list[SentTrack]:
        """The tracks that have begun, and how much of each was encrypted."""
        return [
            SentTrack(lane.kind, lane.ssrc, lane.timestamp_offset, lane.packets, lane.octets)
            for lane in self._lanes.values()
            if lane.packets
        ]
