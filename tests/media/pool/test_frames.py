from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.pool.frames import MAX_FRAME_BYTES, FrameReader, FrameTooLarge, encode_frame


@given(st.lists(st.binary(max_size=300)), st.lists(st.integers(0, 3000)))
def test_messages_come_out_as_they_went_in_however_they_are_cut(
    messages: list[bytes], cuts: list[int]
) -> None:
    wire = b"".join(map(encode_frame, messages))
    edges = sorted({0, len(wire), *(min(cut, len(wire)) for cut in cuts)})
    reader = FrameReader()
    read = [message for begin, end in pairwise(edges) for message in reader.feed(wire[begin:end])]
    assert read == messages


def test_the_largest_frame_passes_and_one_byte_more_does_not() -> None:
    largest = bytes(MAX_FRAME_BYTES)
    assert list(FrameReader().feed(encode_frame(largest))) == [largest]
    with pytest.raises(FrameTooLarge):
        encode_frame(largest + b"x")
    header = (MAX_FRAME_BYTES + 1).to_bytes(4, "big")
    with pytest.raises(FrameTooLarge, match=str(MAX_FRAME_BYTES + 1)):
        list(FrameReader().feed(header))  # before any of it has come


def test_what_came_before_a_bad_frame_is_still_read() -> None:
    reader = FrameReader().feed(encode_frame(b"one") + b"\xff\xff\xff\xff")
    assert next(reader) == b"one"
    with pytest.raises(FrameTooLarge):
        next(reader)
