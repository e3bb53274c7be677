"""The elements of an RTP header extension (RFC 8285), read from a packet and written into one.

There are two forms. The one-byte form has ids 1..14 and values of 1 to 16 bytes, the two-byte form
ids 1..255 and values of up to 255 bytes; a packet is all of one form.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from media.wire.rtp import RtpError, RtpHeader

_ONE_BYTE_PROFILE: Final = 0xBEDE
_TWO_BYTE_PROFILE: Final = 0x1000  # the low four bits are the application's
_ONE_BYTE_MAX_ID: Final = 14
_ONE_BYTE_MAX_SIZE: Final = 16

Element = tuple[int, bytes]
"""An id and its value."""


def header_extensions(header: RtpHeader) -> Iterator[Element]:
    """The elements of a packet's header extension, in order; none of an unknown profile.

    Raises RtpError where an element reaches past the extension.
    """
    if header.extension is None or header.extension_profile is None:
        return
    if header.extension_profile == _ONE_BYTE_PROFILE:
        yield from _one_byte_elements(header.extension)
    elif header.extension_profile & 0xFFF0 == _TWO_BYTE_PROFILE:
        yield from _two_byte_elements(header.extension)


def write_extension(elements: Sequence[Element]) -> bytes:
    """A header extension of these elements with its own header, to stand behind the SSRC.

    Empty for no elements. The one-byte form wherever every element fits it.
    """
    if not elements:
        return b""
    is_short = all(
        element_id <= _ONE_BYTE_MAX_ID and 1 <= len(value) <= _ONE_BYTE_MAX_SIZE
        for element_id, value in elements
    )
    block = bytearray()
    for element_id, value in elements:
        if is_short:
            block.append(element_id << 4 | len(value) - 1)
        else:
            block += bytes((element_id, len(value)))
        block += value
    block += bytes(-len(block) % 4)  # RFC 3550 §5.3.1: its length is counted in 32-bit words
    profile = _ONE_BYTE_PROFILE if is_short else _TWO_BYTE_PROFILE
    return profile.to_bytes(2, "big") + (len(block) // 4).to_bytes(2, "big") + block


def _one_byte_elements(data: bytes) -> Iterator[Element]:
    at = 0
    while at < len(data):
        element_id, size = data[at] >> 4, (data[at] & 0x0F) + 1
        if element_id == 0:  # RFC 8285 §4.1.2: padding, and nobody's id
            at += 1
            continue
        if element_id == 15:  # RFC 8285 §4.2: processing stops at this id
            return
        yield element_id, _value(data, at + 1, size)
        at += 1 + size


def _two_byte_elements(data: bytes) -> Iterator[Element]:
    at = 0
    while at < len(data):
        if data[at] == 0:
            at += 1
            continue
        if at + 1 == len(data):
            raise RtpError("a header extension element has no length")
        size = data[at + 1]
        yield data[at], _value(data, at + 2, size)
        at += 2 + size


def _value(data: bytes, start: int, size: int) -> bytes:
    if start + size > len(data):
        raise RtpError("a header extension element is cut off")
    return data[start : start + size]
