"""Against the examples of the draft, and against a model of our own."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.wire.transport_feedback import TransportFeedback, parse_transport_feedback


def body(base: int, packets: int, *chunks: int, deltas: bytes = b"") -> bytes:
    head = struct.pack("!IIHH4x", 1, 2, base, packets)
    return head + b"".join(chunk.to_bytes(2, "big") for chunk in chunks) + deltas


@pytest.mark.parametrize(
    ("chunk", "packets", "lost"),
    [
        (0b0_00_0000011011101, 221, 221),  # the draft's run of 221 lost packets
        (0b0_00_0000000011000, 24, 24),  # a run of 24
        (0b0_01_0000000011000, 24, 0),
        (0b1_0_00000111110000, 14, 9),  # its vector of one-bit symbols
        (0b1_1_11011100000000 & 0xFFFF, 7, 4),  # two-bit symbols: 11 01 11 00 00 00 00
    ],
)
def test_chunks(chunk: int, packets: int, lost: int) -> None:
    assert parse_transport_feedback(body(7, packets, chunk)) == TransportFeedback(7, packets, lost)


def test_a_last_chunk_may_have_more_room_than_packets() -> None:
    vector = 0b1_0_01111111111111
    assert parse_transport_feedback(body(0, 1, vector)).lost == 1
    assert parse_transport_feedback(body(0, 3, 0x3FFF)).lost == 0


@pytest.mark.parametrize(
    "malformed", [b"", bytes(15), body(0, 15, 0x8000), body(0, 1), body(0, 1, 0x2000)]
)
def test_what_is_cut_off_is_refused(malformed: bytes) -> None:
    with pytest.raises(ValueError, match="transport feedback"):
        parse_transport_feedback(malformed)


@given(st.lists(st.booleans(), max_size=100), st.integers(0, 0xFFFF))
def test_what_came_and_what_did_not_is_counted(received: list[bool], base: int) -> None:
    chunks = []
    for start in range(0, len(received), 14):
        bits = (received[start : start + 14] + [False] * 14)[:14]
        chunks.append(0x8000 | sum(bit << 13 - at for at, bit in enumerate(bits)))
    parsed = parse_transport_feedback(body(base, len(received), *chunks, deltas=bytes(9)))
    assert parsed == TransportFeedback(base, len(received), received.count(False))


@given(st.binary(max_size=100))
def test_no_bytes_raise_anything_else(noise: bytes) -> None:
    try:
        parsed = parse_transport_feedback(noise)
    except ValueError:
        return
    assert 0 <= parsed.lost <= parsed.packets
