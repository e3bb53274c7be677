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


def classify(datagram: bytes) -> DatagramKind:
    """The protocol of a datagram."""
    if len(datagram) < 2:
        return DatagramKind.OTHER
    kind = _BY_FIRST_BYTE[datagram[0]]
    # RFC 5761 §4: RTCP packet types stand where RTP has its marker and payload type.
    if kind is DatagramKind.RTP and 192 <= datagram[1] <= 223:
        return DatagramKind.RTCP
    return kind
