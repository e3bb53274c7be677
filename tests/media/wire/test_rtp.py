"""RTP headers against their RFCs, and against whatever else may come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.wire.rtp import (
    RtpError,
    extend,
    original_sequence,
    pack_header,
    parse_rtp,
    rewrite,
)

PLAIN = bytes.fromhex("80e00001000003e8deadbeef") + b"payload"


def test_a_plain_packet():
    header = parse_rtp(PLAIN)
    assert (header.payload_type, header.marker) == (96, True)
    assert (header.sequence, header.timestamp, header.ssrc) == (1, 1000, 0xDEADBEEF)
    assert PLAIN[header.payload_start : header.payload_end] == b"payload"
    assert header.extension is None


def test_csrcs_extension_and_padding_surround_the_payload():
    packet = (
        bytes.fromhex("b2600002000000010000000a")
        + bytes(8)  # two CSRCs
        + bytes.fromhex("bede0001")
        + b"\x10\x01\x00\x00"
        + b"data"
        + b"\0\0\3"
    )
    header = parse_rtp(packet)
    assert packet[header.payload_start : header.payload_end] == b"data"
    assert (header.extension_profile, header.extension) == (0xBEDE, b"\x10\x01\0\0")


def test_padding_alone_is_an_empty_payload():
    header = parse_rtp(bytes.fromhex("a0600002000000010000000a") + b"\0\0\0\4")
    assert header.payload_start == header.payload_end


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        PLAIN[:11],
        b"\x40" + PLAIN[1:],  # version 1
        b"\x8f" + PLAIN[1:],  # 15 CSRCs in 7 bytes
        b"\x90" + PLAIN[1:12] + b"\xbe\xde\x00",  # extension header cut off
        b"\x90" + PLAIN[1:12] + b"\xbe\xde\x00\x02" + bytes(4),  # extension cut off
        b"\xa0" + PLAIN[1:12] + b"\x00",  # padding of zero
        b"\xa0" + PLAIN[1:12] + b"\x09",  # padding longer than the packet
    ],
)
def test_refused(packet: bytes):
    with pytest.raises(RtpError):
        parse_rtp(packet)


@given(st.binary(max_size=80))
def test_no_bytes_raise_anything_else(packet: bytes):
    try:
        header = parse_rtp(packet)
        assert 12 <= header.payload_start <= header.payload_end <= len(packet)
    except RtpError:
        pass


@given(st.integers(0, 127), st.integers(0, 0xFFFF), st.integers(0, 2**32 - 1), st.booleans())
def test_rewriting_in_place_keeps_the_rest(pt: int, sequence: int, timestamp: int, marker: bool):
    packet = bytearray(PLAIN)
    packet[1] = 0x80 * marker | 5
    rewrite(packet, payload_type=pt, sequence=sequence, timestamp=timestamp, ssrc=7)
    assert packet[:12] == pack_header(0x80, 0x80 * marker | pt, sequence, timestamp, 7)
    assert packet[12:] == b"payload"


def test_rtx_names_the_packet_that_it_repeats():
    packet = PLAIN[:12] + b"\xff\xfe" + b"payload"
    assert original_sequence(packet, parse_rtp(packet)) == 0xFFFE


def test_rtx_of_padding_alone_repeats_nothing():
    assert original_sequence(PLAIN[:13], parse_rtp(PLAIN[:13])) is None


@pytest.mark.parametrize(
    ("number", "near", "expected"),
    [(0, 65535, 65536), (65535, 65536, 65535), (5, 0x2FFFF, 0x30005), (65530, 3, -6)],
)
def test_extending_over_the_wrap(number: int, near: int, expected: int):
    assert extend(number, near) == expected


@given(st.integers(0, 2**48), st.integers(-(2**15), 2**15 - 1))
def test_extending_finds_what_is_near(near: int, step: int):
    assert extend((near + step) & 0xFFFF, near) == near + step
