"""What a datagram on the shared port is, by its first bytes (RFC 7983, RFC 5761)."""

from enum import StrEnum


class DatagramKind(StrEnum):
    """The protocols that share the port; OTHER is none of them."""

    STUN = "stun"
    DTLS = "dtls"
    RTP = "rtp"
    RTCP = "rtcp"
    OTHER = "other"


def _kind_of_first_byte(byte: int) -> DatagramKind:
    if byte <= 3:
        return DatagramKind.STUN
    if 20 <= byte <= 63:
        return DatagramKind.DTLS
    if 128 <= byte <= 191:
        return DatagramKind.RTP
    return DatagramKind.OTHER


_BY_FIRST_BYTE = tuple(_kind_of_first_byte(byte) for byte in range(256))


_SSRC_AT = {DatagramKind.RTP: 8, DatagramKind.RTCP: 4}


def classify(datagram: bytes) -> DatagramKind:
    """The protocol of a datagram."""
    if len(datagram) < 2:
        return DatagramKind.OTHER
    kind = _BY_FIRST_BYTE[datagram[0]]
    # RFC 5761 §4: RTCP packet types stand where RTP has its marker and payload type.
    if kind is DatagramKind.RTP and 192 <= datagram[1] <= 223:
        return DatagramKind.RTCP
    return kind


def ssrc_of(datagram: bytes) -> int:
    """The source of an RTP or RTCP packet, which is never encrypted (RFC 3711 §3.1, §3.4); 0 where
    the datagram is neither, or too short to say."""
    at = _SSRC_AT.get(classify(datagram), len(datagram))
    ssrc = datagram[at : at + 4]
    return int.from_bytes(ssrc) if len(ssrc) == 4 else 0
