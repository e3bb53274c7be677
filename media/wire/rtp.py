"""RTP packets (RFC 3550 §5.1) and RTX payloads (RFC 4588).

A packet is read once into an `RtpHeader`; its payload stays where it is. What is in a header
extension is `media.wire.header_extensions`'s matter. Refusal:

RtpError (ValueError)    bytes that are no RTP packet, or less of one than they claim
"""

import struct
from typing import Final, NamedTuple

HEADER_SIZE: Final = 12
RTX_HEADER_SIZE: Final = 2  # the original sequence number, in front of an RTX payload

_FIXED = struct.Struct("!BBHII")
_VERSION_2: Final = 0x80
_HAS_PADDING: Final = 0x20
_HAS_EXTENSION: Final = 0x10

pack_header = _FIXED.pack
"""(0x80, marker << 7 | payload type, sequence, timestamp, SSRC) to a header of 12 bytes."""


class RtpError(ValueError):
    """Not an RTP packet."""


class RtpHeader(NamedTuple):
    """The header of a packet and where its payload lies: `packet[payload_start:payload_end]`.

    `extension` is the raw header extension, `extension_profile` its 16 bits "defined by profile"
    (both None when there is none).
    """

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload_start: int
    payload_end: int
    extension_profile: int | None
    extension: bytes | None


def parse_rtp(packet: bytes) -> RtpHeader:
    """Read the header of `packet`, checking every length in it. Raises RtpError."""
    size = len(packet)
    if size < HEADER_SIZE:
        raise RtpError("shorter than an RTP header")
    first, second, sequence, timestamp, ssrc = _FIXED.unpack_from(packet)
    if first & 0xC0 != _VERSION_2:
        raise RtpError("not RTP version 2")
    start = HEADER_SIZE + 4 * (first & 0x0F)
    end = size
    profile = extension = None
    if first & _HAS_EXTENSION:
        if size < start + 4:
            raise RtpError("the header extension is cut off")
        profile = packet[start] << 8 | packet[start + 1]
        words = packet[start + 2] << 8 | packet[start + 3]
        extension = packet[start + 4 : start + 4 + 4 * words]
        start += 4 + 4 * words
    if first & _HAS_PADDING:
        if packet[-1] == 0:
            raise RtpError("padding of no length")
        end -= packet[-1]
    if start > end:
        raise RtpError("the header or its padding is longer than the packet")
    return RtpHeader(
        second & 0x7F, second > 0x7F, sequence, timestamp, ssrc, start, end, profile, extension
    )


def rewrite(
    packet: bytearray, *, payload_type: int, sequence: int, timestamp: int, ssrc: int
) -> None:
    """Patch the header of a valid packet in place; flags, marker and payload stay as they are."""
    second = packet[1] & 0x80 | payload_type
    _FIXED.pack_into(packet, 0, packet[0], second, sequence, timestamp, ssrc)


def original_sequence(packet: bytes, header: RtpHeader) -> int | None:
    """The sequence number that an RTX packet (RFC 4588 §4) repeats; its payload follows it.

    None for a packet of padding alone, which senders use to probe for bandwidth.
    """
    start = header.payload_start
    if header.payload_end - start < RTX_HEADER_SIZE:
        return None
    return packet[start] << 8 | packet[start + 1]


def extend(number: int, near: int, bits: int = 16) -> int:
    """The value congruent to `number` modulo 2**bits that lies closest to `near`.

    With `near` the highest extended sequence number so far it undoes the wrapping of the wire
    (RFC 3711 §3.3.1). May be negative when `near` is close to zero.
    """
    half = 1 << (bits - 1)
    return near + ((number - near + half) & ((1 << bits) - 1)) - half
