"""The door in front of a worker of this process, asked as the server asks it."""

from collections.abc import AsyncIterator, Callable

import pytest
from aiortc.mediastreams import AudioStreamTrack

from config.media import MediaSettings
from media.door import MediaDoor, MediaDown
from media.errors import StreamOffline, UnknownSession
from media.events import StreamEnded, StreamLive, ViewersChanged
from media.live import StreamState
from media.local import BusyMeter, LocalMedia
from tests.media.conftest import OWNER, STREAM, Events
from tests.support.webrtc import Client


@pytest.fixture
async def door(events: Events) -> AsyncIterator[MediaDoor]:
    media: MediaDoor = LocalMedia(MediaSettings(udp_port=0), on_event=events)
    await media.start()
    yield media
    await media.stop()


async def test_a_stream_through_the_door(
    door: MediaDoor, client: Callable[[], Client], events: Events
) -> None:
    await door.check()
    with pytest.raises(StreamOffline):
        await door.watch(STREAM, "v=0")
    publisher = client()
    publisher.pc.addTransceiver(AudioStreamTrack(), direction="sendonly")
    accepted = await publisher.connect_async(lambda offer: door.publish(STREAM, OWNER, offer))
    assert f" {door.ports[0]} typ host" in accepted.answer
    assert await events.next() == StreamLive(STREAM)
    viewer = client()
    viewer.pc.addTransceiver("audio", direction="recvonly")
    watched = await viewer.connect_async(lambda offer: door.watch(STREAM, offer))
    assert await events.next() == ViewersChanged(STREAM, 1)
    assert (door.live(), door.viewers(STREAM)) == ([STREAM], 1)
    stats = await door.stats(STREAM)
    assert stats is not None
    assert stats.state is StreamState.LIVE
    patched = await door.patch_viewer(STREAM, watched.session_id, "a=candidate:1", watched.etag)
    assert patched.status == 204
    await viewer.frame("audio")
    figures = door.figures()["1"]
    assert (figures.streams, figures.viewers) == (1, 1)
    assert figures.totals.packets_forwarded > 0
    assert figures.counters.sessions_started == {"publisher": 1, "viewer": 1}

    await door.end_viewer(STREAM, watched.session_id)
    assert await events.next() == ViewersChanged(STREAM, 0)
    with pytest.raises(UnknownSession):
        await door.end_viewer(STREAM, watched.session_id)
    await door.stop_stream(STREAM, "enough")
    assert await events.next() == StreamEnded(STREAM, "enough")
    assert await door.stats(STREAM) is None
    with pytest.raises(UnknownSession):
        await door.patch_publisher(STREAM, accepted.session_id, "", "*")
    with pytest.raises(UnknownSession):
        await door.end_publisher(STREAM, accepted.session_id)


async def test_a_door_that_is_not_open_says_so(events: Events) -> None:
    media = LocalMedia(MediaSettings(udp_port=0), on_event=events)
    with pytest.raises(MediaDown):
        await media.check()


def test_the_share_of_a_core_is_measured_between_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = {"wall": 10.0, "cpu": 5.0}
    monkeypatch.setattr("media.local.time.monotonic", lambda: clock["wall"])
    monkeypatch.setattr("media.local.time.process_time", lambda: clock["cpu"])
    busy = BusyMeter()
    assert busy.read() == 0.0
    clock.update(wall=12.0, cpu=6.0)
    assert busy.read() == 0.5
    clock.update(wall=12.5, cpu=6.5)
    assert busy.read() == 0.5  # too soon to say anything new
