"""A relay's packet as one viewer gets it: header, header extensions, payload, encryption.

The packet has the viewer's own SSRC, payload type, numbering and extension ids. Neither padding nor
CSRCs are written, and no extension where there is nothing to say.
"""

from collections.abc import Callable, Sequence

from media.relay.protection import protector
from media.relay.tracks import RelayPacket, ViewerTrack
from media.transport.srtp import SrtpKeys
from media.wire.extensions import MAX_MID_BYTES, STAMPED, Extension
from media.wire.header_extensions import Element, write_extension
from media.wire.rtp import pack_header

WritePacket = Callable[[RelayPacket, bytes, int, float], bytes]
"""(packet, payload, index, now) to the datagram that carries this payload under that index."""

_Values = Callable[[RelayPacket, float], Sequence[Element]]

_HAS_EXTENSION = 0x10


class TransportSequence:
    """The transport-wide sequence number: one counter for everything that a viewer is sent."""

    def __init__(self) -> None:
        self._next = 0

    def take(self) -> bytes:
        """The value for the next packet; from 0, modulo 2**16."""
        number, self._next = self._next, (self._next + 1) & 0xFFFF
        return number.to_bytes(2, "big")


def is_stamped(track: ViewerTrack) -> bool:
    """Whether packets say when or as which they were sent, so that no two are the same bytes."""
    agreed = dict(track.extensions)
    return Extension.ABS_SEND_TIME in agreed or Extension.TRANSPORT_SEQUENCE in agreed


def packet_writer(
    track: ViewerTrack,
    *,
    payload_type: int,
    ssrc: int,
    keys: SrtpKeys,
    transport: TransportSequence,
) -> WritePacket:
    """The function that writes packets of `ssrc` with the extensions of `track`.

    Without a stamp (`is_stamped`) the same arguments give the same bytes, however often. With one,
    no index may be used twice. Raises ValueError where the track's extensions can't be written.
    """
    protect = protector(keys, ssrc)
    second_byte = (payload_type, 0x80 | payload_type)  # by marker
    timestamp_offset = track.ssrc
    values = _extension_values(track, transport)
    has_extensions = bool(track.extensions)

    def write(packet: RelayPacket, payload: bytes, index: int, now: float) -> bytes:
        extension = write_extension(values(packet, now)) if has_extensions else b""
        first_byte = 0x80 | _HAS_EXTENSION if extension else 0x80
        timestamp = (packet.timestamp + timestamp_offset) & 0xFFFFFFFF
        second = second_byte[packet.marker]
        header = pack_header(first_byte, second, index & 0xFFFF, timestamp, ssrc)
        return protect(header + extension, payload, index)

    return write


def abs_send_time(now: float) -> bytes:
    """The moment as 6.18 fixed point seconds, which wraps every 64 s."""
    return (int(now * 262_144) & 0xFFFFFF).to_bytes(3, "big")


def _extension_values(track: ViewerTrack, transport: TransportSequence) -> _Values:
    """What goes into a packet's extension, as elements with the viewer's ids."""
    ids = dict(track.extensions)
    mid = track.mid.encode()
    if len(ids) != len(track.extensions) or len(mid) > MAX_MID_BYTES:
        raise ValueError("an extension twice, or a MID that is too long")
    stamps: dict[Extension, Callable[[float], bytes]] = {
        Extension.MID: lambda _: mid,
        Extension.ABS_SEND_TIME: abs_send_time,
        Extension.TRANSPORT_SEQUENCE: lambda _: transport.take(),
    }
    agreed = [(ids[extension], stamps[extension]) for extension in STAMPED if extension in ids]

    def values(packet: RelayPacket, now: float) -> Sequence[Element]:
        own = [(element_id, stamp(now)) for element_id, stamp in agreed]
        return own + [(ids[name], value) for name, value in packet.extensions if name in ids]

    return values
