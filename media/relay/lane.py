"""One track towards one viewer: its numbering, its encryption, and whether it waits.

`Lane.send` runs for every run of packets and viewer, `_datagram_maker`'s function for every packet
and viewer: this is the hot path.
"""

from collections.abc import Callable, Sequence

from media.relay.packet_cache import PacketCache
from media.relay.protection import protector
from media.relay.seqmap import SeqMap
from media.relay.stats import FanoutCounters
from media.relay.tracks import RelayPacket, ViewerTrack
from media.transport.srtp import SrtpKeys
from media.wire.rtp import extend, pack_header

_MakeDatagram = Callable[[RelayPacket, int], bytes]


class Lane:
    """Begins with the first packet that needs none before it, and again after every `wait`.

    Numbering begins where the SSRC, which is random, puts it: the timestamps anywhere, the sequence
    in the lower half, so that the receiver can't be mistaken about the rollover counter when the
    first packets are lost (RFC 3711 §3.3.1).
    """

    __slots__ = (
        "_counters",
        "_make_datagram",
        "_sequences",
        "kind",
        "octets",
        "packets",
        "ssrc",
        "timestamp_offset",
        "waiting",
    )

    def __init__(self, track: ViewerTrack, keys: SrtpKeys, counters: FanoutCounters) -> None:
        self.kind = track.kind
        self.ssrc = self.timestamp_offset = track.ssrc
        self.waiting = True
        self.packets = 0
        self.octets = 0
        self._counters = counters
        self._sequences = SeqMap(first=track.ssrc & 0x7FFF)
        self._make_datagram = _datagram_maker(track, keys, self.timestamp_offset)

    def send(self, run: Sequence[RelayPacket], datagrams: list[bytes]) -> None:
        """Append the datagrams of those packets of this track that are to go out."""
        if self.waiting:
            run = self._begin(run)
        number, make_datagram = self._sequences.map, self._make_datagram
        packets = octets = 0
        for packet in run:
            index = number(packet.sequence)
            if index is not None:
                datagrams.append(make_datagram(packet, index))
                packets += 1
                octets += len(packet.payload)
        self.packets += packets
        self.octets += octets

    def send_again(
        self, sequences: Sequence[int], cache: PacketCache, datagrams: list[bytes]
    ) -> None:
        """Append the datagrams that have these 16-bit numbers, if their packets are still kept."""
        for sequence in sequences:
            index = extend(sequence, self._sequences.next_outgoing)
            source = self._sequences.source(index)
            packet = cache.get(source) if source is not None else None
            if packet is not None:
                datagrams.append(self._make_datagram(packet, index))

    def _begin(self, run: Sequence[RelayPacket]) -> Sequence[RelayPacket]:
        """The part of `run` that begins with a keyframe."""
        for at, packet in enumerate(run):
            if packet.keyframe:
                self.waiting = False
                self._sequences.skip_to(packet.sequence)
                return run[at:]
            self._counters.dropped += self.packets > 0
        return ()


def _datagram_maker(track: ViewerTrack, keys: SrtpKeys, timestamp_offset: int) -> _MakeDatagram:
    """(packet, index) to its datagram: always the same bytes, however often it is made."""
    protect = protector(keys, track.ssrc)
    second_byte = (track.payload_type, 0x80 | track.payload_type)  # by marker
    ssrc = track.ssrc

    def make_datagram(packet: RelayPacket, index: int) -> bytes:
        _, _, timestamp, marker, _, payload, _ = packet
        stamp = (timestamp + timestamp_offset) & 0xFFFFFFFF
        header = pack_header(0x80, second_byte[marker], index & 0xFFFF, stamp, ssrc)
        return protect(header, payload, index)

    return make_datagram
