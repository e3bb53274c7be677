"""Both forms of header extensions, read and written; whatever else may come is refused."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.wire.header_extensions import header_extensions, write_extension
from media.wire.rtp import RtpError, parse_rtp

FIXED = bytes.fromhex("90e00001000003e8deadbeef")


def extended(profile: int, data: bytes) -> bytes:
    data += bytes(-len(data) % 4)
    return FIXED + struct.pack("!HH", profile, len(data) // 4) + data + b"x"


def read(packet: bytes) -> list[tuple[int, bytes]]:
    return list(header_extensions(parse_rtp(packet)))


@pytest.mark.parametrize(
    ("profile", "data", "elements"),
    [
        (0xBEDE, b"\x12abc\x00\x20d", [(1, b"abc"), (2, b"d")]),
        (0xBEDE, b"\x10a\xf0\x20b", [(1, b"a")]),  # id 15 ends it
        (0xBEDE, b"\x03\x10a", [(1, b"a")]),  # id 0 is padding, whatever length it claims
        (0xBEDE, b"", []),
        (0x1000, b"\x01\x00\x10\x02ab", [(1, b""), (16, b"ab")]),
        (0x1005, b"\x01\x01z", [(1, b"z")]),
        (0x1234, b"abcd", []),  # somebody else's
    ],
)
def test_both_forms_are_read(profile: int, data: bytes, elements: list) -> None:
    assert read(extended(profile, data)) == elements


@pytest.mark.parametrize(("profile", "data"), [(0xBEDE, b"\0\0\0\x12"), (0x1000, b"\0\0\1\5")])
def test_one_that_reaches_too_far_is_refused(profile: int, data: bytes) -> None:
    with pytest.raises(RtpError, match="cut off"):
        read(extended(profile, data))


def test_a_two_byte_element_without_its_length_is_refused() -> None:
    with pytest.raises(RtpError, match="no length"):
        read(extended(0x1000, b"\0\0\0\7"))


def test_the_short_form_is_written_where_everything_fits() -> None:
    written = write_extension([(1, b"a"), (14, bytes(16))])
    assert written == b"\xbe\xde\x00\x05\x10a\xef" + bytes(16) + b"\0"
    assert write_extension([]) == b""


@pytest.mark.parametrize("element", [(15, b"a"), (1, b""), (1, bytes(17))])
def test_one_long_element_makes_the_form_long(element: tuple[int, bytes]) -> None:
    written = write_extension([(2, b"b"), element])
    assert written.startswith(b"\x10\x00")
    assert written[4:7] == b"\x02\x01b"


@given(st.lists(st.tuples(st.integers(1, 255), st.binary(max_size=255)), max_size=8))
def test_what_is_written_is_read(elements: list[tuple[int, bytes]]) -> None:
    written = write_extension(elements)
    assert len(written) % 4 == 0
    first = FIXED if written else b"\x80" + FIXED[1:]
    assert read(first + written + b"payload") == elements


@given(st.sampled_from([0xBEDE, 0x1000, 0x100F, 0xABCD]), st.binary(max_size=80))
def test_no_bytes_raise_anything_else(profile: int, data: bytes) -> None:
    try:
        for element_id, value in read(extended(profile, data)):
            assert 1 <= element_id <= 255
            assert len(value) <= 255
    except RtpError:
        pass
