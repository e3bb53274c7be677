"""Two worker processes behind one door, with real peers."""

import asyncio
import os
import signal
from collections.abc import Callable
from uuid import UUID

import pytest
from aiortc.mediastreams import AudioStreamTrack

from config.media import MediaSettings
from media.door import MediaDown
from media.errors import (
    InvalidSdp,
    MediaUnavailable,
    PortTaken,
    StreamBusy,
    StreamHeld,
    StreamOffline,
    StreamRestarting,
    TooManyViewers,
    UnknownSession,
)
from media.events import (
    SessionsLost,
    StreamEnded,
    StreamInterrupted,
    StreamLive,
    ViewersChanged,
)
from media.pool.pool import MediaPool, worker_settings
from tests.media.conftest import OWNER, STREAM, Events
from tests.media.pool.conftest import StartPool
from tests.support.webrtc import Client

OTHER = UUID(int=6)
THIRD = UUID(int=7)
CANDIDATES = "a=end-of-candidates"


async def publish(pool: MediaPool, peer: Client, stream_id: UUID = STREAM) -> str:
    """Publish sound; the name of the worker."""
    peer.pc.addTransceiver(AudioStreamTrack(), direction="sendonly")
    accepted = await peer.connect_async(lambda offer: pool.publish(stream_id, OWNER, offer))
    await peer.connected()
    return accepted.session_id.partition(".")[0]


async def watch(pool: MediaPool, peer: Client, stream_id: UUID = STREAM) -> str:
    peer.pc.addTransceiver("audio", direction="recvonly")
    accepted = await peer.connect_async(lambda offer: pool.watch(stream_id, offer))
    return accepted.session_id.partition(".")[0]


def kill(pool: MediaPool, worker: str) -> None:
    running = pool._members[worker].process.running
    assert running is not None
    os.kill(running.process.pid, signal.SIGKILL)


async def test_streams_spread_and_viewers_follow(
    start_pool: StartPool, client: Callable[[], Client], events: Events
) -> None:
    pool = await start_pool()
    await pool.check()
    assert len(set(pool.ports)) == 2
    first, second = client(), client()
    assert await publish(pool, first) == "1"
    assert await events.next() == StreamLive(STREAM)
    assert await publish(pool, second, OTHER) == "2"
    assert await events.next() == StreamLive(OTHER)
    assert pool.live() == [STREAM, OTHER]
    for stream_id, worker in ((STREAM, "1"), (OTHER, "2")):
        viewer = client()
        assert await watch(pool, viewer, stream_id) == worker
        assert await events.next() == ViewersChanged(stream_id, 1)
        await viewer.frame("audio")
        assert pool.viewers(stream_id) == 1
        stats = await pool.stats(stream_id)
        assert stats is not None
        assert (stats.viewers, stats.tracks[0].codec) == (1, "Opus")
        # Its session is where its name says, whatever the stream.
        session = viewer.session_id
        assert viewer.accepted is not None
        patched = await pool.patch_viewer(stream_id, session, CANDIDATES, viewer.accepted.etag)
        assert patched.status == 204
        await pool.end_viewer(stream_id, session)
        assert await events.next() == ViewersChanged(stream_id, 0)
        with pytest.raises(UnknownSession):
            await pool.end_viewer(stream_id, session)
    assert first.accepted is not None
    restarted = await pool.patch_publisher(
        STREAM, first.session_id, "a=ice-ufrag:wxyz\r\na=ice-pwd:" + "p" * 24, "*"
    )
    assert restarted.status == 200
    with pytest.raises(UnknownSession):
        await pool.end_publisher(OTHER, first.session_id)
    await pool.end_publisher(STREAM, first.session_id)
    assert await events.next() == StreamEnded(STREAM, "The publisher stopped.")
    with pytest.raises(StreamOffline):
        await pool.watch(STREAM, "v=0")
    await pool.stop_stream(OTHER, "enough", hold=True)
    assert await events.next() == StreamEnded(OTHER, "enough")
    with pytest.raises(StreamHeld):
        await pool.publish(OTHER, OWNER, "v=0")
    await pool.stop_stream(THIRD, "never was")
    assert await pool.stats(THIRD) is None
    assert (pool.live(), pool.viewers(THIRD)) == ([], 0)


async def test_a_publisher_that_comes_back_is_on_the_same_worker(
    start_pool: StartPool, client: Callable[[], Client], events: Events
) -> None:
    pool = await start_pool()
    publisher = client()
    worker = await publish(pool, publisher)
    await events.next()
    await publish(pool, client(), OTHER)
    await events.next()
    with pytest.raises(StreamBusy):
        await publish(pool, client())
    await publisher.pc.close()
    assert await events.next() == StreamInterrupted(STREAM)
    assert await publish(pool, client()) == worker
    assert await events.next() == StreamLive(STREAM)


async def test_a_killed_worker_ends_its_sessions_at_once(
    start_pool: StartPool, client: Callable[[], Client], events: Events
) -> None:
    pool = await start_pool()
    publisher, viewer, bystander = client(), client(), client()
    worker = await publish(pool, publisher)
    await events.next()
    other_worker = await publish(pool, bystander, OTHER)
    await events.next()
    await watch(pool, viewer)
    assert await events.next() == ViewersChanged(STREAM, 1)

    kill(pool, worker)
    assert await events.next() == StreamInterrupted(STREAM)
    assert await events.next() == ViewersChanged(STREAM, 0)
    assert await events.next() == SessionsLost(STREAM)
    await pool.check()  # the other one still serves
    for ended in (
        pool.end_viewer(STREAM, viewer.session_id),
        pool.patch_viewer(STREAM, viewer.session_id, CANDIDATES, "*"),
        pool.end_publisher(STREAM, publisher.session_id),
    ):
        with pytest.raises(UnknownSession):
            await ended
    with pytest.raises(StreamRestarting) as refused:
        await pool.watch(STREAM, "v=0")
    assert refused.value.retry_after_s == 1
    assert await pool.stats(STREAM) is None
    with pytest.raises(StreamBusy):
        await pool.publish(STREAM, UUID(int=99), "v=0")
    with pytest.raises(InvalidSdp):
        await pool.publish(STREAM, OWNER, "no offer")

    await publish(pool, client())
    assert await events.next() == StreamLive(STREAM)
    again = client()
    await watch(pool, again)
    assert await events.next() == ViewersChanged(STREAM, 1)
    await again.frame("audio")
    # The other worker's stream never noticed.
    assert (await pool.patch_publisher(OTHER, bystander.session_id, CANDIDATES, "*")).status == 204
    async with asyncio.timeout(30):
        while len(pool.ports) < 2 or pool.restarts < 1:
            await asyncio.sleep(0.02)
    with pytest.raises(UnknownSession):  # the new process knows nothing of the old one's
        await pool.end_viewer(STREAM, viewer.session_id)
    assert other_worker != worker


async def test_readiness_needs_one_worker(start_pool: StartPool) -> None:
    pool = await start_pool()
    for worker in ("1", "2"):
        await pool.check()
        kill(pool, worker)
    async with asyncio.timeout(5):
        while pool.ports:
            await asyncio.sleep(0)
    with pytest.raises(MediaDown):
        await pool.check()
    with pytest.raises(MediaUnavailable):
        await pool.publish(STREAM, OWNER, "v=0")
    async with asyncio.timeout(30):
        while not pool.ports:
            await asyncio.sleep(0.02)
    await pool.check()


async def test_a_stranded_stream_ends_when_nobody_comes_back(
    start_pool: StartPool, client: Callable[[], Client], events: Events
) -> None:
    pool = await start_pool(reconnect_window_s=0.2)
    worker = await publish(pool, client())
    assert await events.next() == StreamLive(STREAM)
    kill(pool, worker)
    assert await events.next() == StreamInterrupted(STREAM)
    await events.next()
    assert await events.next() == SessionsLost(STREAM)
    assert await events.next() == StreamEnded(STREAM, "The publisher did not come back.")


async def test_a_stranded_stream_can_be_stopped(
    start_pool: StartPool, client: Callable[[], Client], events: Events
) -> None:
    pool = await start_pool()
    worker = await publish(pool, client())
    assert await events.next() == StreamLive(STREAM)
    kill(pool, worker)
    while await events.next() != SessionsLost(STREAM):
        pass
    await pool.stop_stream(STREAM, "enough", hold=True)
    assert await events.next() == StreamEnded(STREAM, "enough")
    with pytest.raises(StreamHeld):
        await pool.publish(STREAM, OWNER, "v=0")


async def test_a_stream_that_a_worker_holds_is_held_at_all(
    start_pool: StartPool, client: Callable[[], Client], events: Events
) -> None:
    pool = await start_pool()
    worker = await publish(pool, client())
    assert await events.next() == StreamLive(STREAM)
    pool._on_told(worker, told := StreamEnded(STREAM, "It sent too much.", 60.0))
    assert await events.next() == told
    with pytest.raises(StreamHeld):
        await pool.publish(STREAM, OWNER, "v=0")


async def test_limits_hold_over_all_workers(
    start_pool: StartPool, client: Callable[[], Client], events: Events
) -> None:
    pool = await start_pool(max_streams=2, max_viewers=2)
    for stream_id in (STREAM, OTHER):
        await publish(pool, client(), stream_id)
        await events.next()
    with pytest.raises(MediaUnavailable, match="no room"):
        await publish(pool, client(), THIRD)
    leaving = client()
    await watch(pool, leaving)
    await watch(pool, client(), OTHER)
    with pytest.raises(TooManyViewers):
        await watch(pool, client())
    await pool.end_viewer(STREAM, leaving.session_id)
    with pytest.raises(StreamOffline):
        await watch(pool, client(), THIRD)
    async with asyncio.timeout(15):  # the worker tells of the free place with its next beat
        while True:
            try:
                await watch(pool, client())
            except TooManyViewers:
                await asyncio.sleep(0.05)
            else:
                break


async def test_stopping_ends_the_streams_and_tells(
    start_pool: StartPool, client: Callable[[], Client], events: Events
) -> None:
    pool = await start_pool()
    await publish(pool, client())
    assert await events.next() == StreamLive(STREAM)
    await pool.stop()
    assert events.pending() == [StreamEnded(STREAM, "The server stops.")]
    with pytest.raises(MediaDown):
        await pool.check()
    with pytest.raises(MediaUnavailable):
        await pool.publish(STREAM, OWNER, "v=0")
    assert pool.ports == ()


async def test_a_taken_port_starts_no_worker(start_pool: StartPool, events: Events) -> None:
    first = await start_pool()
    with pytest.raises(PortTaken):
        await start_pool(udp_port=first.ports[0])


def test_workers_share_ports_and_handshakes() -> None:
    settings = MediaSettings(workers=3, udp_port=7000, max_pending_sessions=10)
    each = [worker_settings(settings, index) for index in range(3)]
    assert [one.udp_port for one in each] == [7000, 7001, 7002]
    assert [one.max_pending_sessions for one in each] == [4, 4, 4]
    assert worker_settings(MediaSettings(workers=3, udp_port=0), 2).udp_port == 0
