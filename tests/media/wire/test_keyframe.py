"""First packets of keyframes, made by hand from the payload formats."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.wire.keyframe import starts_keyframe

SPS, PPS = bytes.fromhex("6742e01f"), bytes.fromhex("68ce")
IDR, LATER_SLICE = bytes.fromhex("65b8"), bytes.fromhex("6520")
DELTA = bytes.fromhex("419a")


def stap_a(*nals: bytes) -> bytes:
    return b"\x78" + b"".join(len(nal).to_bytes(2, "big") + nal for nal in nals)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (SPS, True),
        (PPS, False),
        (IDR, True),
        (LATER_SLICE, False),
        (DELTA, False),
        (stap_a(SPS, PPS), True),
        (stap_a(b"\x06\x05\x01", SPS), True),
        (stap_a(PPS), False),
        (stap_a(b"", IDR), True),
        (stap_a(SPS)[:-4], False),
        (b"\x7c\x85\xb8", True),  # FU-A, first fragment of an IDR slice at macroblock 0
        (b"\x7c\x85\x20", False),  # of a later slice
        (b"\x7c\x05\xb8", False),  # a middle fragment
        (b"\x7c\x81\x9a", False),  # of a delta picture
        (b"\x7c\x85", False),
        (b"", False),
    ],
)
def test_h264(payload: bytes, expected: bool):
    assert starts_keyframe("h264", payload) is expected


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"\x10\x00", True),
        (b"\x10\x01", False),  # an interframe
        (b"\x00\x00", False),  # a continuation
        (b"\x11\x00", False),  # partition 1
        (b"\x90\x80\x05\x00", True),  # 7 bits of picture id
        (b"\x90\x80\x85\x05\x00", True),  # 15 bits
        (b"\x90\xf0\x85\x05\x07\x20\x00", True),  # all of I, L, T and K
        (b"\x90\xf0\x85\x05\x07\x20\x01", False),
        (b"\x90\xf0\x85\x05\x07\x20", False),  # cut off
        (b"\x90\x00\x00", True),  # X without extensions
        (b"", False),
    ],
)
def test_vp8(payload: bytes, expected: bool):
    assert starts_keyframe("vp8", payload) is expected


KEY, REPEATED, INTER = b"\x80", b"\x88", b"\x84"
KEY_PROFILE_3, INTER_PROFILE_3 = b"\xb0", b"\xb2"


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"\x08" + KEY, True),
        (b"\x08" + INTER, False),  # intra-coded after all, but no keyframe
        (b"\x08" + REPEATED, False),
        (b"\x08" + KEY_PROFILE_3, True),
        (b"\x08" + INTER_PROFILE_3, False),
        (b"\x08\x00", False),  # no frame marker
        (b"\x48" + KEY, False),  # inter-picture predicted
        (b"\x00" + KEY, False),  # not the start of a frame
        (b"\x88\x05" + KEY, True),  # 7 bits of picture id
        (b"\x88\x85\x05" + KEY, True),  # 15 bits
        (b"\xa8\x05\x00\x09" + KEY, True),  # layers, TL0PICIDX
        (b"\xa8\x05\x02\x09" + KEY, False),  # the second spatial layer
        (b"\xb8\x05\x00" + KEY, True),  # flexible mode
        (b"\x0a\x18" + bytes(4) + b"\x02\x04\x01\x00" + KEY, True),  # scalability structure
        (b"\x0a\x18" + bytes(4) + b"\x02\x04\x01\x00", False),
        (b"", False),
    ],
)
def test_vp9(payload: bytes, expected: bool):
    assert starts_keyframe("vp9", payload) is expected


SEQUENCE_HEADER, DELIMITER, FRAME = b"\x08\x00\x00", b"\x10", b"\x30\x00"


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"\x18" + SEQUENCE_HEADER, True),  # W = 1
        (b"\x28\x03" + SEQUENCE_HEADER + FRAME, True),  # W = 2
        (b"\x08\x03" + SEQUENCE_HEADER + b"\x02" + FRAME, True),  # W = 0
        (b"\x08\x01" + DELIMITER + b"\x03" + SEQUENCE_HEADER, True),
        (b"\x08\x00\x83\x00" + SEQUENCE_HEADER, True),  # an empty element, a long length
        (b"\x18" + FRAME, False),  # N without a sequence header
        (b"\x10" + SEQUENCE_HEADER, False),  # not N
        (b"\x98" + SEQUENCE_HEADER, False),  # the end of an earlier OBU
        (b"\x08\x01" + DELIMITER, False),
        (b"\x08\x80", False),
        (b"\x08" + b"\xff" * 20, False),
        (b"", False),
    ],
)
def test_av1(payload: bytes, expected: bool):
    assert starts_keyframe("av1", payload) is expected


def test_audio_can_begin_anywhere():
    assert starts_keyframe("opus", b"")


@given(st.sampled_from(["h264", "vp8", "vp9", "av1"]), st.binary(max_size=64))
def test_no_payload_raises(codec: str, payload: bytes):
    assert starts_keyframe(codec, payload) in (True, False)
