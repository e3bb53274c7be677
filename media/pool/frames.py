"""Frames of a control channel: four bytes of length, then that many bytes of message."""

from collections.abc import Iterator
from typing import Final

MAX_FRAME_BYTES: Final = 1024 * 1024
"""Several times the largest message (an offer is at most 64 KiB), and little enough to hold."""

_HEADER_BYTES: Final = 4


class FrameTooLarge(ValueError):
    """The other end announces, or is to be sent, more than a frame may have."""

    def __init__(self, size: int) -> None:
        super().__init__(f"a frame of {size} bytes; {MAX_FRAME_BYTES} are the most")


def encode_frame(message: bytes) -> bytes:
    """`message` as it goes on the wire. Raises FrameTooLarge."""
    if len(message) > MAX_FRAME_BYTES:
        raise FrameTooLarge(len(message))
    return len(message).to_bytes(_HEADER_BYTES, "big") + message


class FrameReader:
    """Cuts what comes from the wire into messages; holds at most one that is not complete."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that `data` completes.

        Raises FrameTooLarge when a header says so, before the frame is taken in; the stream can't
        be read on after that.
        """
        self._buffer += data
        while len(self._buffer) >= _HEADER_BYTES:
            size = int.from_bytes(self._buffer[:_HEADER_BYTES], "big")
            if size > MAX_FRAME_BYTES:
                raise FrameTooLarge(size)
            end = _HEADER_BYTES + size
            if len(self._buffer) < end:
                return
            message = bytes(self._buffer[_HEADER_BYTES:end])
            del self._buffer[:end]
            yield message
