"""Where keyframes start in RTP payloads, by codec; nothing is decoded beyond a few header bits.

Only the first packet of a keyframe counts, so that a viewer who is let in there misses no part of
it: for H.264 that is the parameter sets or the first slice, never a later slice of the picture.
"""

from collections.abc import Callable, Iterator
from typing import Final

_H264_IDR: Final = 5
_H264_SPS: Final = 7
_H264_STAP_A: Final = 24
_H264_FU_A: Final = 28

_AV1_SEQUENCE_HEADER: Final = 1
_AV1_TEMPORAL_DELIMITER: Final = 2


def starts_keyframe(codec: str, payload: bytes) -> bool:
    """Whether `payload` is the first of a keyframe; True for codecs without keyframes (audio).

    `codec` is lower case. Malformed payloads start nothing; no exception is raised.
    """
    detect = _DETECTORS.get(codec)
    if detect is None:
        return True
    try:
        return detect(payload)
    except IndexError:  # the payload ends within a header
        return False


def _h264(payload: bytes) -> bool:
    """RFC 6184 §5: a single NAL unit, an aggregate (STAP-A) or the first fragment (FU-A)."""
    nal_type = payload[0] & 0x1F
    if nal_type == _H264_STAP_A:
        return any(_h264_nal_starts(nal[0], nal[1]) for nal in _h264_aggregated(payload))
    if nal_type == _H264_FU_A:
        is_first_fragment = payload[1] & 0x80 != 0
        return is_first_fragment and _h264_nal_starts(payload[1], payload[2])
    return _h264_nal_starts(payload[0], payload[1])


def _h264_nal_starts(nal_header: int, first_byte: int) -> bool:
    nal_type = nal_header & 0x1F
    # H.264 §7.3.3: first_mb_in_slice is Exp-Golomb coded, so a leading 1 bit says macroblock 0.
    return nal_type == _H264_SPS or (nal_type == _H264_IDR and first_byte & 0x80 != 0)


def _h264_aggregated(payload: bytes) -> Iterator[bytes]:
    at = 1
    while at + 4 <= len(payload):
        size = payload[at] << 8 | payload[at + 1]
        if size >= 2:
            yield payload[at + 2 : at + 4]
        at += 2 + size


def _vp8(payload: bytes) -> bool:
    """RFC 7741 §4.2: start of partition 0, and §4.3: the inverse key frame flag is clear."""
    is_first = payload[0] & 0x10 != 0 and payload[0] & 0x07 == 0
    at = 1
    if payload[0] & 0x80:  # X
        extensions = payload[1]
        at = 2
        if extensions & 0x80:  # I: 7 or 15 bits of picture id
            at += 2 if payload[at] & 0x80 else 1
        if extensions & 0x40:  # L
            at += 1
        if extensions & 0x30:  # T or K share a byte
            at += 1
    return is_first and payload[at] & 0x01 == 0


def _vp9(payload: bytes) -> bool:
    """RFC 9628 §4.2: begins a frame of the lowest spatial layer that is predicted from none."""
    descriptor = payload[0]
    is_inter_predicted = descriptor & 0x40 != 0
    begins_frame = descriptor & 0x08 != 0
    if is_inter_predicted or not begins_frame:
        return False
    at = 1
    if descriptor & 0x80:  # I: 7 or 15 bits of picture id
        at += 2 if payload[at] & 0x80 else 1
    if descriptor & 0x20:  # L: layer indices
        spatial_layer = payload[at] >> 1 & 0x07
        if spatial_layer != 0:
            return False
        at += 1 if descriptor & 0x10 else 2  # TL0PICIDX only in non-flexible mode
    if descriptor & 0x02:  # V
        at = _vp9_after_scalability_structure(payload, at)
    return _vp9_is_key_frame(payload[at])


def _vp9_after_scalability_structure(payload: bytes, at: int) -> int:
    structure = payload[at]
    at += 1
    if structure & 0x10:  # Y: width and height of each spatial layer
        at += 4 * ((structure >> 5) + 1)
    if structure & 0x08:  # G: a picture group
        pictures = payload[at]
        at += 1
        for _ in range(pictures):
            at += 1 + (payload[at] >> 2 & 0x03)
    return at


def _vp9_is_key_frame(first_byte: int) -> bool:
    """The uncompressed header (VP9 bitstream §6.2): not a repeated frame, and frame_type 0."""
    if first_byte >> 6 != 0b10:
        return False
    is_profile_3 = first_byte & 0x30 == 0x30
    flags = first_byte << (5 if is_profile_3 else 4)  # profile 3 has a reserved bit before them
    show_existing_frame, frame_type = flags & 0x80, flags & 0x40
    return not show_existing_frame and not frame_type


def _av1(payload: bytes) -> bool:
    """AV1 RTP §4.4: N begins a coded video sequence; it holds its sequence header first."""
    begins_sequence = payload[0] & 0x08 != 0
    continues_obu = payload[0] & 0x80 != 0
    if not begins_sequence or continues_obu:
        return False
    for obu_header in _av1_obu_headers(payload):
        obu_type = obu_header >> 3 & 0x0F
        if obu_type != _AV1_TEMPORAL_DELIMITER:
            return obu_type == _AV1_SEQUENCE_HEADER
    return False


def _av1_obu_headers(payload: bytes) -> Iterator[int]:
    elements = payload[0] >> 4 & 0x03  # W; 0 says that every element carries its length
    at, element = 1, 0
    while at < len(payload):
        element += 1
        if element == elements:
            yield payload[at]
            return
        size, at = _leb128(payload, at)
        if size:
            yield payload[at]
        at += size


def _leb128(payload: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 56, 7):
        byte = payload[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
    return value, at


_DETECTORS: Final[dict[str, Callable[[bytes], bool]]] = {
    "h264": _h264,
    "vp8": _vp8,
    "vp9": _vp9,
    "av1": _av1,
}
