"""Frames as maps, and the two codecs that carry them.

Both subprotocols carry the same maps. A client's frame is flat: at most 16 fields, names are
strings, values are null, booleans, numbers or strings; so there is no depth to exhaust.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import msgpack
import orjson

from chat.errors import BadFrame, CloseCode, Disconnect, TooLarge

Frame = dict[str, Any]

MAX_FIELDS = 16
_SCALARS = (str, int, float, bool, type(None))


class Codec(Protocol):
    """One subprotocol: how a frame is read and written."""

    @property
    def subprotocol(self) -> str:
        """Its name in the WebSocket handshake."""

    @property
    def opcode(self) -> int:
        """RFC 6455 §5.2: 1 for text, 2 for binary."""

    def decode(self, data: str | bytes) -> Frame:
        """A client's frame.

        Raises BadFrame or TooLarge for what is no flat map, Disconnect for the wrong kind of
        WebSocket message. Nothing else, whatever the bytes are.
        """

    def encode(self, frame: Frame) -> bytes:
        """The payload of a WebSocket message."""


@dataclass(frozen=True, slots=True)
class JsonCodec:
    """Text messages, one JSON object each (RFC 8259)."""

    subprotocol: str = "sociallive.v1.json"
    opcode: int = 0x1

    def decode(self, data: str | bytes) -> Frame:
        if not isinstance(data, str):
            raise Disconnect(CloseCode.WRONG_KIND, "this subprotocol takes text messages")
        try:
            value = orjson.loads(data)
        except ValueError:
            raise BadFrame("This is no JSON object.") from None
        return _flat_map(value)

    def encode(self, frame: Frame) -> bytes:
        return orjson.dumps(frame)


@dataclass(frozen=True, slots=True)
class MsgpackCodec:
    """Binary messages, one MessagePack map each."""

    subprotocol: str = "sociallive.v1.msgpack"
    opcode: int = 0x2

    def decode(self, data: str | bytes) -> Frame:
        if isinstance(data, str):
            raise Disconnect(CloseCode.WRONG_KIND, "this subprotocol takes binary messages")
        # unpackb allows no announced size beyond the bytes that are there, and lists, which it
        # would allocate as announced, are in no frame of a client.
        try:
            value = msgpack.unpackb(data, max_array_len=0)
        except (ValueError, msgpack.UnpackException):
            raise BadFrame("This is no flat MessagePack map.") from None
        return _flat_map(value)

    def encode(self, frame: Frame) -> bytes:
        encoded: bytes = msgpack.packb(frame)
        return encoded

    def decode_event(self, payload: bytes) -> Frame:
        """What `encode` made, nested maps and lists included. Raises ValueError."""
        try:
            event: Frame = msgpack.unpackb(payload)
        except msgpack.UnpackException as error:
            raise ValueError(str(error)) from error
        return event


JSON = JsonCodec()
MSGPACK = MsgpackCodec()
CODECS: dict[str, Codec] = {codec.subprotocol: codec for codec in (MSGPACK, JSON)}


def _flat_map(value: object) -> Frame:
    if not isinstance(value, dict):
        raise BadFrame
    if len(value) > MAX_FIELDS:
        raise TooLarge
    for name, field in value.items():
        if not isinstance(name, str) or not isinstance(field, _SCALARS):
            raise BadFrame
    return value
