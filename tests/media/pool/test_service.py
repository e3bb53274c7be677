"""The answering end in this loop: hello, calls, events, beats, stop."""

import asyncio
import logging

import pytest
from aiortc.mediastreams import AudioStreamTrack

from config.media import MediaSettings
from media.errors import MediaUnavailable, UnknownSession
from media.events import StreamEnded, StreamLive, ViewersChanged
from media.pool import service
from media.pool.client import WorkerClient, WorkerFault
from media.pool.messages import (
    VERSION,
    Beat,
    Declined,
    EndPublisher,
    EndViewer,
    Hello,
    PatchViewer,
    Publish,
    ReadStats,
    Stop,
    StopStream,
    Watch,
    Welcome,
)
from tests.media.conftest import OWNER, STREAM
from tests.media.pool.conftest import ICE_KEY, Connect, ToldEvents

CANDIDATES = "a=end-of-candidates"


async def test_a_stream_over_the_channel(
    worker_client: WorkerClient, client, told: ToldEvents
) -> None:
    publisher = client()
    publisher.pc.addTransceiver(AudioStreamTrack(), direction="sendonly")
    await publisher.connect_async(lambda offer: worker_client.call(Publish(STREAM, OWNER, offer)))
    assert await told.next(StreamLive) == StreamLive(STREAM)
    viewer = client()
    viewer.pc.addTransceiver("audio", direction="recvonly")
    watched = await viewer.connect_async(lambda offer: worker_client.call(Watch(STREAM, offer)))
    assert await told.next(ViewersChanged) == ViewersChanged(STREAM, 1)
    await viewer.frame("audio")
    stats = await worker_client.call(ReadStats(STREAM))
    assert stats is not None
    assert (stats.viewers, stats.tracks[0].codec) == (1, "Opus")
    beat = await told.next(Beat)
    assert isinstance(beat, Beat)
    while beat.figures.viewers == 0 or beat.packets_per_s == 0:
        beat = await told.next(Beat)
        assert isinstance(beat, Beat)
    assert (beat.figures.streams, beat.viewer_sessions) == (1, 1)

    session = watched.session_id
    patched = await worker_client.call(PatchViewer(STREAM, session, CANDIDATES, watched.etag))
    assert patched.status == 204
    await worker_client.call(EndViewer(STREAM, session))
    with pytest.raises(UnknownSession):
        await worker_client.call(EndViewer(STREAM, session))
    with pytest.raises(UnknownSession):
        await worker_client.call(EndPublisher(STREAM, session))
    await worker_client.call(StopStream(STREAM, "enough"))
    assert await told.next(StreamEnded) == StreamEnded(STREAM, "enough")


async def test_stopping_tells_the_ends_before_it_is_answered(
    worker_client: WorkerClient, client, told: ToldEvents
) -> None:
    publisher = client()
    publisher.pc.addTransceiver(AudioStreamTrack(), direction="sendonly")
    await publisher.connect_async(lambda offer: worker_client.call(Publish(STREAM, OWNER, offer)))
    await told.next(StreamLive)
    await worker_client.call(Stop())
    ended = [told.queue.get_nowait() for _ in range(told.queue.qsize())]
    assert StreamEnded(STREAM, "The server stops.") in ended
    assert await asyncio.wait_for(worker_client.channel.closed, 5) == "the other end closed it"


async def test_another_version_is_declined(connect: Connect) -> None:
    client = await connect()
    declined = await client.call(Hello(VERSION + 1, MediaSettings(udp_port=0), ICE_KEY))
    assert isinstance(declined, Declined)
    assert not declined.port_taken
    await asyncio.wait_for(client.channel.closed, 5)


async def test_a_taken_port_is_declined(connect: Connect) -> None:
    first, second = await connect(), await connect()
    welcome = await first.call(Hello(VERSION, MediaSettings(udp_port=0), ICE_KEY))
    assert isinstance(welcome, Welcome)
    declined = await second.call(Hello(VERSION, MediaSettings(udp_port=welcome.port), ICE_KEY))
    assert isinstance(declined, Declined)
    assert declined.port_taken
    assert str(welcome.port) in declined.reason


async def test_a_plane_that_was_not_built_is_declined(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.planes._native_plane", lambda _: None)
    client = await connect()
    declined = await client.call(Hello(VERSION, MediaSettings(udp_port=0, plane="native"), ICE_KEY))
    assert isinstance(declined, Declined)
    assert "media.plane" in declined.reason
    assert not declined.port_taken


async def test_nothing_is_done_before_the_hello(connect: Connect) -> None:
    client = await connect()
    with pytest.raises(MediaUnavailable):
        await client.call(ReadStats(STREAM))


async def test_a_second_hello_closes_the_channel(worker_client: WorkerClient) -> None:
    with pytest.raises(MediaUnavailable):
        await worker_client.call(Hello(VERSION, MediaSettings(udp_port=0), ICE_KEY))


async def test_a_bug_fails_one_call_and_is_logged(
    worker_client: WorkerClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("bug")

    monkeypatch.setitem(service._HANDLERS, ReadStats, broken)  # type: ignore[arg-type]
    with caplog.at_level(logging.ERROR), pytest.raises(WorkerFault, match="ReadStats: KeyError"):
        await worker_client.call(ReadStats(STREAM))
    assert "a call of the control channel failed" in caplog.text
    monkeypatch.undo()
    assert await worker_client.call(ReadStats(STREAM)) is None
