"""A channel against a bare socket, which does what no honest end does."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from media.events import StreamLive, ViewersChanged
from media.pool.channel import MAX_UNSENT_BYTES, Channel, ChannelClosed
from media.pool.frames import encode_frame
from media.pool.messages import Message, encode
from tests.media.conftest import STREAM

Open = Callable[..., Awaitable[tuple[Channel, socket.socket, list[Message]]]]


@pytest.fixture
async def open_channel() -> AsyncIterator[Open]:
    """A channel, the socket at its other end, and what the channel took in."""
    with contextlib.ExitStack() as stack:

        async def make(*, answers: bool = False) -> tuple[Channel, socket.socket, list[Message]]:
            ours, theirs = socket.socketpair()
            stack.callback(theirs.close)
            theirs.setblocking(False)
            taken: list[Message] = []
            channel = Channel(on_message=taken.append, answers=answers)
            loop = asyncio.get_running_loop()
            await loop.create_unix_connection(lambda: channel, sock=ours)
            stack.callback(channel.close, "the test is over")
            return channel, theirs, taken

        yield make


async def test_messages_cross_in_order(open_channel: Open) -> None:
    channel, theirs, taken = await open_channel()
    told = [ViewersChanged(STREAM, count) for count in range(5)]
    await send(theirs, b"".join(encode_frame(encode(each)) for each in told))
    theirs.close()
    assert await asyncio.wait_for(channel.closed, 5) == "the other end closed it"
    assert taken == told
    with pytest.raises(ChannelClosed):
        channel.send(StreamLive(STREAM))


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"\xff\xff\xff\xff", "a frame of 4294967295 bytes"),
        (encode_frame(b"no json"), "bad frame"),
        (encode_frame(b'{"kind": "call", "name": "eval", "id": 1}'), "an unknown name"),
    ],
)
async def test_a_bad_frame_closes_the_channel_and_is_logged(
    open_channel: Open, caplog: pytest.LogCaptureFixture, bad: bytes, reason: str
) -> None:
    channel, theirs, taken = await open_channel()
    good = encode_frame(encode(StreamLive(STREAM)))
    with caplog.at_level(logging.WARNING):
        await send(theirs, good + bad + good)
        assert reason in await asyncio.wait_for(channel.closed, 5)
    assert taken == [StreamLive(STREAM)]  # nothing after the bad one
    assert "bad frame" in caplog.text
    assert await asyncio.get_running_loop().sock_recv(theirs, 1) == b""


async def test_an_end_that_never_reads_is_given_up(open_channel: Open) -> None:
    channel, _, _ = await open_channel()
    message = StreamLive(STREAM)

    def send_without_end() -> None:
        for _ in range(2 * MAX_UNSENT_BYTES // len(encode(message))):
            channel.send(message)

    with pytest.raises(ChannelClosed, match="reads too slowly"):
        send_without_end()
    assert await asyncio.wait_for(channel.closed, 5) == "the other end reads too slowly"


async def test_an_answering_end_reads_no_further_while_its_answers_wait(
    open_channel: Open,
) -> None:
    channel, theirs, taken = await open_channel(answers=True)
    loop = asyncio.get_running_loop()
    message = StreamLive(STREAM)
    sent = 0
    while sent < 1024 * 1024:
        channel.send(message)
        sent += len(encode_frame(encode(message)))
    await send(theirs, encode_frame(encode(message)))
    received = len(await loop.sock_recv(theirs, 4096))
    assert taken == []
    while received < sent:
        received += len(await loop.sock_recv(theirs, 65_536))
    async with asyncio.timeout(5):
        while not taken:
            await asyncio.sleep(0)
    assert taken == [message]


async def test_finishing_writes_what_waits(open_channel: Open) -> None:
    channel, theirs, _ = await open_channel()
    channel.send(StreamLive(STREAM))
    channel.finish()
    with pytest.raises(ChannelClosed):
        channel.send(StreamLive(STREAM))
    assert await asyncio.wait_for(channel.closed, 5) == "finished"
    data = await asyncio.get_running_loop().sock_recv(theirs, 4096)
    assert data == encode_frame(encode(StreamLive(STREAM)))


async def send(theirs: socket.socket, data: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(theirs, data)
