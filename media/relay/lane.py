"""One track towards one viewer: its numbering, its retransmission, and whether it waits.

`Lane.send` runs for every run of packets and viewer, the function of `packet_writer` for every
packet and viewer: this is the hot path.
"""

from collections.abc import Sequence

from media.relay.packet_cache import PacketCache
from media.relay.packet_writer import TransportSequence, is_stamped, packet_writer
from media.relay.rtx import RtxStream
from media.relay.seqmap import SeqMap
from media.relay.stats import FanoutCounters
from media.relay.tracks import RelayPacket, ViewerTrack
from media.transport.srtp import SrtpKeys
from media.wire.rtp import extend


class Lane:
    """Begins with the first packet that needs none before it, and again after every `wait`.

    Numbering begins where the SSRC, which is random, puts it: the timestamps anywhere, the sequence
    in the lower half, so that the receiver can't be mistaken about the rollover counter when the
    first packets are lost (RFC 3711 §3.3.1).
    """

    __slots__ = (
        "_counters",
        "_repeats",
        "_rtx",
        "_sequences",
        "_write",
        "kind",
        "octets",
        "packets",
        "ssrc",
        "timestamp_offset",
        "waiting",
    )

    def __init__(
        self,
        track: ViewerTrack,
        keys: SrtpKeys,
        transport: TransportSequence,
        counters: FanoutCounters,
    ) -> None:
        self.kind = track.kind
        self.ssrc = self.timestamp_offset = track.ssrc
        self.waiting = True
        self.packets = 0
        self.octets = 0
        self._counters = counters
        self._sequences = SeqMap(first=track.ssrc & 0x7FFF)
        self._write = packet_writer(
            track, payload_type=track.payload_type, ssrc=track.ssrc, keys=keys, transport=transport
        )
        self._rtx: RtxStream | None = None
        if track.rtx_payload_type is not None and track.rtx_ssrc is not None:
            self._rtx = RtxStream(track, track.rtx_payload_type, track.rtx_ssrc, keys, transport)
        # GCM must never see an index twice with other bytes, and a stamp makes them other ones.
        self._repeats = not is_stamped(track)

    def send(self, run: Sequence[RelayPacket], now: float, datagrams: list[bytes]) -> None:
        """Append the datagrams of those packets of this track that are to go out."""
        if self.waiting:
            run = self._begin(run)
        number, write = self._sequences.map, self._write
        packets = octets = 0
        for packet in run:
            index = number(packet.sequence)
            if index is not None:
                datagrams.append(write(packet, packet.payload, index, now))
                packets += 1
                octets += len(packet.payload)
        self.packets += packets
        self.octets += octets

    def send_again(
        self, sequences: Sequence[int], cache: PacketCache, now: float, datagrams: list[bytes]
    ) -> None:
        """Append what repeats the packets of these 16-bit numbers, if they are still kept.

        By RTX where that was negotiated, else as the identical datagrams, else not at all.
        """
        for sequence in sequences:
            index = extend(sequence, self._sequences.next_outgoing)
            source = self._sequences.source(index)
            packet = cache.get(source) if source is not None else None
            if packet is None:
                continue
            if self._rtx is not None:
                datagrams.append(self._rtx.send(packet, sequence, now))
            elif self._repeats:
                datagrams.append(self._write(packet, packet.payload, index, now))

    def _begin(self, run: Sequence[RelayPacket]) -> Sequence[RelayPacket]:
        """The part of `run` that begins with a keyframe."""
        for at, packet in enumerate(run):
            if packet.keyframe:
                self.waiting = False
                self._sequences.skip_to(packet.sequence)
                return run[at:]
            self._counters.dropped += self.packets > 0
        return ()
