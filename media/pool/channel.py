"""One end of a control channel: messages over a stream socket.

A frame that is too large or holds no message closes the channel, and so does an end that reads
too slowly: what waits to be written is bounded.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, cast

from media.pool.frames import FrameReader, FrameTooLarge, encode_frame
from media.pool.messages import BadMessage, Message, decode, encode

MAX_UNSENT_BYTES: Final = 8 * 1024 * 1024

_logger = logging.getLogger(__name__)


class ChannelClosed(ConnectionError):
    """Nothing can be sent any more."""


class Channel(asyncio.Protocol):
    """`on_message` is called for each message in their order. Made in a running loop.

    With `answers` this end does nothing but answer: while its answers wait to be written it reads
    no further calls, so that the other end's calls can't pile up here.
    """

    def __init__(
        self,
        *,
        on_message: Callable[[Message], None],
        answers: bool = False,
    ) -> None:
        self.closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Done, with the reason, once nothing can be sent or received any more."""
        self._on_message = on_message
        self._answers = answers
        self._reader = FrameReader()
        self._transport: asyncio.Transport | None = None
        self._reason: str | None = None

    def send(self, message: Message) -> None:
        """Queue a message. Raises ChannelClosed, FrameTooLarge."""
        if self._transport is None or self._reason is not None:
            raise ChannelClosed(self._reason or "not connected")
        self._transport.write(encode_frame(encode(message)))
        if self._transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.close("the other end reads too slowly")

    def close(self, reason: str) -> None:
        """Close at once; what waits to be written is given up. Again changes nothing."""
        if self._reason is None:
            self._reason = reason
            if self._transport is not None:
                self._transport.abort()

    def finish(self) -> None:
        """Write what waits to be written, then close."""
        if self._reason is None and self._transport is not None:
            self._reason = "finished"
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            for frame in self._reader.feed(data):
                self._on_message(decode(frame))
                if self._reason is not None:
                    return
        except (FrameTooLarge, BadMessage) as error:
            _logger.warning("bad frame on a control channel", extra={"reason": str(error)})
            self.close(f"bad frame: {error}")

    def pause_writing(self) -> None:
        if self._answers and self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._answers and self._transport is not None:
            self._transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        if self._reason is None:
            self._reason = "the other end closed it" if error is None else str(error)
        if not self.closed.done():
            self.closed.set_result(self._reason)
