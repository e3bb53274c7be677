"""Retransmission towards one viewer on an SSRC of its own (RFC 4588).

Each retransmission is a packet of its own: it has its own number, so it may say something new in
its header extensions, and the receiver can tell it from the original.
"""

from media.relay.packet_writer import TransportSequence, packet_writer
from media.relay.tracks import RelayPacket, ViewerTrack
from media.transport.srtp import SrtpKeys


class RtxStream:
    """The retransmission stream of one track. Numbering begins where the SSRC puts it."""

    def __init__(
        self,
        track: ViewerTrack,
        payload_type: int,
        ssrc: int,
        keys: SrtpKeys,
        transport: TransportSequence,
    ) -> None:
        self._index = ssrc & 0x7FFF
        self._write = packet_writer(
            track, payload_type=payload_type, ssrc=ssrc, keys=keys, transport=transport
        )

    def send(self, packet: RelayPacket, sequence: int, now: float) -> bytes:
        """The datagram that repeats what went out under `sequence` (its low 16 bits count)."""
        index, self._index = self._index, self._index + 1
        # RFC 4588 §4: the original sequence number, then the original payload; the original
        # timestamp, and the marker bit as it was.
        payload = (sequence & 0xFFFF).to_bytes(2, "big") + packet.payload
        return self._write(packet, payload, index, now)
