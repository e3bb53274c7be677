"""A stream that outgrows its worker, over real processes: one viewer of it a worker is enough."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from media.errors import UnknownSession
from media.events import (
    MediaEvent,
    SessionsLost,
    StreamEnded,
    StreamInterrupted,
    StreamLive,
    ViewersChanged,
)
from media.live import StreamState
from media.pool.pool import MediaPool
from tests.media.conftest import OWNER, STREAM, Events
from tests.media.pool.conftest import StartPool
from tests.media.pool.test_pool import kill
from tests.support.webrtc import Client, SmallPicture

Make = Callable[[], Client]


async def publish(pool: MediaPool, publisher: Client, stream_id: UUID = STREAM) -> str:
    """Publish a picture; the name of the worker."""
    publisher.pc.addTransceiver(SmallPicture(), direction="sendonly")
    accepted = await publisher.connect_async(lambda offer: pool.publish(stream_id, OWNER, offer))
    await publisher.connected()
    return accepted.session_id.partition(".")[0]


async def watch(pool: MediaPool, viewer: Client, stream_id: UUID = STREAM) -> str:
    viewer.pc.addTransceiver("video", direction="recvonly")
    accepted = await viewer.connect_async(lambda offer: pool.watch(stream_id, offer))
    return accepted.session_id.partition(".")[0]


async def until(events: Events, *wanted: MediaEvent) -> None:
    """Wait for these events, in any order and among others."""
    left = list(wanted)
    while left:
        event = await events.next()
        if event in left:
            left.remove(event)


async def frames(viewer: Client, count: int = 10) -> None:
    """So many more decoded pictures."""
    for _ in range(count):
        await viewer.frame("video")


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it holds; workers tell their figures once a second."""
    async with asyncio.timeout(15):
        while not await holds():
            await asyncio.sleep(0.05)


@pytest.fixture
async def pool(start_pool: StartPool) -> MediaPool:
    return await start_pool(cascade_viewers=1, handshake_timeout_s=1.0)


@pytest.fixture
async def viewers(pool: MediaPool, client: Make, events: Events) -> tuple[Client, Client, Client]:
    """A publisher, a viewer at its worker, and one at the other worker."""
    publisher, first, second = client(), client(), client()
    assert await publish(pool, publisher) == "1"
    assert await events.next() == StreamLive(STREAM)
    assert await watch(pool, first) == "1"
    assert await events.next() == ViewersChanged(STREAM, 1)
    assert await watch(pool, second) == "2"
    assert await events.next() == ViewersChanged(STREAM, 2)
    await frames(first)
    await frames(second)
    return publisher, first, second


async def test_the_edge_s_viewers_see_the_picture_and_all_are_counted(
    pool: MediaPool, viewers: tuple[Client, Client, Client], client: Make, events: Events
) -> None:
    _, _, second = viewers
    assert pool.viewers(STREAM) == 2
    stats = await pool.stats(STREAM)
    assert stats is not None
    assert (stats.state, stats.viewers) == (StreamState.LIVE, 2)

    async def both_count() -> bool:
        each = pool.figures()
        return [(each[w].streams, each[w].pulled, each[w].viewers) for w in each] == [
            (1, 0, 1),
            (0, 1, 1),
        ] and all(figures.totals.packets_forwarded > 0 for figures in each.values())

    await eventually(both_count)
    third = client()  # both are full: the first by name takes it
    assert await watch(pool, third) in ("1", "2")
    assert await events.next() == ViewersChanged(STREAM, 3)
    await frames(third)
    await pool.end_viewer(STREAM, second.session_id)
    assert await events.next() == ViewersChanged(STREAM, 2)
    await pool.stop_stream(STREAM, "enough")
    await until(events, StreamEnded(STREAM, "enough"))

    async def nothing_is_left() -> bool:
        return all(figures.pulled == 0 for figures in pool.figures().values())

    await eventually(nothing_is_left)


async def test_several_streams_between_the_same_workers(pool: MediaPool, client: Make) -> None:
    streams = [UUID(int=number) for number in (21, 22, 23)]
    for stream_id in streams:
        await publish(pool, client(), stream_id)
    viewers = [client() for _ in range(2 * len(streams))]
    for viewer, stream_id in zip(viewers, streams * 2, strict=True):
        await watch(pool, viewer, stream_id)

    async def each_worker_pulls_some() -> bool:
        pulled = [each.pulled for each in pool.figures().values()]
        return sum(pulled) == len(streams) and 0 not in pulled

    await eventually(each_worker_pulls_some)
    for viewer in viewers * 2:
        await frames(viewer)


async def test_an_edge_that_nobody_watches_at_is_given_up(
    pool: MediaPool, viewers: tuple[Client, Client, Client], client: Make, events: Events
) -> None:
    _, first, second = viewers
    await pool.end_viewer(STREAM, second.session_id)
    assert await events.next() == ViewersChanged(STREAM, 1)

    async def is_gone() -> bool:
        return pool.figures()["2"].pulled == 0

    await eventually(is_gone)
    await frames(first)
    again = client()
    assert await watch(pool, again) == "2"
    await frames(again)


async def test_a_publisher_that_comes_back_is_seen_at_the_edge(
    pool: MediaPool, viewers: tuple[Client, Client, Client], client: Make, events: Events
) -> None:
    publisher, first, second = viewers
    await publisher.pc.close()
    assert await events.next() == StreamInterrupted(STREAM)
    assert await publish(pool, client()) == "1"
    assert await events.next() == StreamLive(STREAM)
    await frames(first, 20)
    await frames(second, 20)
    assert pool.viewers(STREAM) == 2
    assert (await pool.patch_viewer(STREAM, second.session_id, "a=end-of-candidates", "*")).status


async def test_when_the_origin_dies_the_edge_s_viewers_stay_and_it_becomes_the_origin(
    pool: MediaPool, viewers: tuple[Client, Client, Client], client: Make, events: Events
) -> None:
    _, first, second = viewers
    kill(pool, "1")
    assert await events.next() == StreamInterrupted(STREAM)
    assert await events.next() == ViewersChanged(STREAM, 1)
    assert await events.next() == SessionsLost(STREAM)
    with pytest.raises(UnknownSession):
        await pool.end_viewer(STREAM, first.session_id)
    waiting = client()
    assert await watch(pool, waiting) == "2"  # waits there with the other one
    assert await publish(pool, client()) == "2"
    await until(events, StreamLive(STREAM))
    await frames(second, 20)  # on the session that it had
    await frames(waiting)


async def test_when_an_edge_dies_its_viewers_are_told_and_find_another_place(
    pool: MediaPool, viewers: tuple[Client, Client, Client], client: Make, events: Events
) -> None:
    _, first, second = viewers
    kill(pool, "2")
    assert await events.next() == ViewersChanged(STREAM, 1)
    assert await events.next() == SessionsLost(STREAM)
    with pytest.raises(UnknownSession):
        await pool.end_viewer(STREAM, second.session_id)
    again = client()
    await watch(pool, again)
    assert await events.next() == ViewersChanged(STREAM, 2)
    await frames(again)
    await frames(first)


async def test_a_worker_whom_feeds_don_t_reach_is_no_edge_for_long(
    start_pool: StartPool, client: Make, events: Events, caplog: pytest.LogCaptureFixture
) -> None:
    # An address of documentation (RFC 5737): nothing sent there comes anywhere.
    pool = await start_pool(cascade_viewers=1, consent_timeout_s=2.0, feed_address="192.0.2.1")
    await publish(pool, client())
    assert await events.next() == StreamLive(STREAM)
    assert await watch(pool, client()) == "1"
    assert await watch(pool, client()) == "2"

    async def is_given_up() -> bool:
        return pool._edges.of(STREAM) == []

    await eventually(is_given_up)  # long before it would be because nobody watches at it
    assert "media.feed_address" in caplog.text
    again = client()
    assert await watch(pool, again) == "1"
    await frames(again)
