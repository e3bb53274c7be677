"""One event to many connections: encoded once a subprotocol, framed once, written to each.

Server frames are not masked (RFC 6455 §5.1), so every client gets the same bytes.
"""

from collections.abc import Collection, Mapping
from struct import pack
from typing import Protocol

from chat.frames import MSGPACK, Codec, Frame

_FIN = 0x80


class Outlet(Protocol):
    """Where bytes for one client go."""

    def write(self, message: bytes) -> None:
        """Queue one whole WebSocket frame; never blocks, never raises."""


def websocket_frame(opcode: int, payload: bytes) -> bytes:
    """An unfragmented, unmasked WebSocket frame (RFC 6455 §5.2)."""
    size = len(payload)
    if size < 126:
        return pack("!BB", _FIN | opcode, size) + payload
    if size < 65_536:
        return pack("!BBH", _FIN | opcode, 126, size) + payload
    return pack("!BBQ", _FIN | opcode, 127, size) + payload


def deliver(
    outlets: Mapping[Codec, Collection[Outlet]], event: Frame, payload: bytes | None = None
) -> int:
    """Write an event to every outlet of every codec; `payload` is its MessagePack, if at hand.

    Returns how many outlets there were.
    """
    delivered = 0
    for codec, group in outlets.items():
        if not group:
            continue
        encoded = payload if payload is not None and codec is MSGPACK else codec.encode(event)
        message = websocket_frame(codec.opcode, encoded)
        for outlet in group:
            outlet.write(message)
        delivered += len(group)
    return delivered
