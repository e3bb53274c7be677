"""One event is encoded once a subprotocol and written to each."""

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame as LibraryFrame
from websockets.frames import Opcode

from chat.fanout import Outlet, deliver, websocket_frame
from chat.frames import JSON, MSGPACK, Codec, Frame, JsonCodec


class Recorder:
    def __init__(self) -> None:
        self.messages: list[bytes] = []

    def write(self, message: bytes) -> None:
        self.messages.append(message)


@given(st.sampled_from([Opcode.TEXT, Opcode.BINARY]), st.binary(max_size=300))
def test_frames_are_those_of_the_library(opcode: Opcode, payload: bytes) -> None:
    assert websocket_frame(opcode, payload) == LibraryFrame(opcode, payload).serialize(mask=False)


@pytest.mark.parametrize("size", [0, 125, 126, 127, 65_535, 65_536])
def test_sizes_at_the_borders(size: int) -> None:
    expected = LibraryFrame(Opcode.BINARY, b"x" * size).serialize(mask=False)
    assert websocket_frame(2, b"x" * size) == expected


def test_everyone_gets_the_same_bytes_object() -> None:
    groups = {codec: [Recorder() for _ in range(3)] for codec in (JSON, MSGPACK)}
    outlets: dict[Codec, Collection[Outlet]] = {**groups}
    event: Frame = {"t": "viewers", "count": 3}
    assert deliver(outlets, event) == 6
    for codec, recorders in groups.items():
        expected = websocket_frame(codec.opcode, codec.encode(event))
        assert [recorder.messages for recorder in recorders] == [[expected]] * 3
        assert len({id(recorder.messages[0]) for recorder in recorders}) == 1


def test_the_payload_at_hand_is_not_encoded_again() -> None:
    packed, plain = Recorder(), Recorder()
    payload = b"\x81\xa1t\xa1x"
    deliver({MSGPACK: [packed], JSON: [plain]}, {"t": "x"}, payload)
    assert packed.messages == [websocket_frame(2, payload)]
    assert plain.messages == [websocket_frame(1, b'{"t":"x"}')]


def test_nothing_is_encoded_for_nobody() -> None:
    class Counting(JsonCodec):
        def encode(self, frame: Frame) -> bytes:
            raise AssertionError("nobody reads this")

    assert deliver({Counting(): []}, {"t": "x"}) == 0
