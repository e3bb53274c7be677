"""What a worker does with those who misbehave, over both planes and real sockets."""

import asyncio
import random
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import pytest

from media.errors import TooManyViewers
from media.events import StreamEnded, StreamLive, ViewersChanged
from media.worker import MediaWorker
from tests.support.udp_peer import UdpPeer, obs_offer

STREAM, OWNER = UUID(int=5), UUID(int=1)
VIDEO_SSRC = 1412367219
KEYFRAME = b"\x67parameters"

Connect = Callable[[MediaWorker], Awaitable[UdpPeer]]


def rtp(sequence: int, payload: bytes = KEYFRAME) -> bytes:
    return struct.pack("!BBHII", 0x80, 96, sequence & 0xFFFF, 0, VIDEO_SSRC) + payload


@pytest.fixture
async def peers() -> AsyncIterator[list[UdpPeer]]:
    made: list[UdpPeer] = []
    yield made
    for peer in made:
        peer.close()


@pytest.fixture
def publisher(peers: list[UdpPeer], events) -> Connect:
    async def connect(worker: MediaWorker) -> UdpPeer:
        peers.append(UdpPeer(worker.publish(STREAM, OWNER, obs_offer("sendonly")).answer))
        await peers[-1].connect()
        assert await events.next() == StreamLive(STREAM)
        return peers[-1]

    return connect


@pytest.fixture
def viewer(peers: list[UdpPeer], events) -> Connect:
    async def connect(worker: MediaWorker) -> UdpPeer:
        peers.append(UdpPeer(worker.watch(STREAM, obs_offer("recvonly")).answer))
        await peers[-1].connect()
        assert isinstance(await events.next(), ViewersChanged)
        return peers[-1]

    return connect


async def test_a_publisher_that_overdoes_it_is_cut_off_and_told_why(
    start_worker, publisher: Connect, viewer: Connect, events
) -> None:
    worker = await start_worker(max_publisher_bitrate_bps=200_000, overrun_timeout_s=0.4)
    sender = await publisher(worker)
    watcher = await viewer(worker)
    ended = asyncio.ensure_future(events.next())
    sequence = 0
    while not ended.done():
        for _ in range(20):
            sequence += 1
            sender.send(sender.out.protect(rtp(sequence, KEYFRAME + bytes(1000))))
        await asyncio.sleep(0.02)  # the pace of the sender, not a wait for the server
    reason = "The encoder sent more than 0.2 Mbit/s. Lower its bit rate and start again."
    assert ended.result() == StreamEnded(STREAM, reason, 60.0)
    assert worker.counters.sessions_ended == {"too_fast": 1, "stream_ended": 1}
    totals = worker.totals()
    assert totals.packets_over_bitrate > totals.packets_forwarded > 10
    assert len(await watcher.rtp()) > 1000  # what was within the rate did arrive


async def test_a_viewer_is_followed_to_where_a_check_proves_it_to_be(
    start_worker, publisher: Connect, viewer: Connect
) -> None:
    worker = await start_worker()
    sender, watcher = await publisher(worker), await viewer(worker)
    sender.send(sender.out.protect(rtp(1)))
    assert (await watcher.rtp()).endswith(KEYFRAME)
    watcher.move()
    watcher.send(watcher.out.protect_rtcp(struct.pack("!BBHI", 0x80, 201, 1, 7)))
    await sender.checked()
    assert worker.counters.dropped["rtcp_of_no_session"] == 1
    await watcher.checked()
    sender.send(sender.out.protect(rtp(2)))
    assert (await watcher.rtp()).endswith(KEYFRAME)


async def test_garbage_forgery_and_replay_are_counted_and_slow_nobody(
    start_worker, publisher: Connect, viewer: Connect, peers: list[UdpPeer]
) -> None:
    worker = await start_worker()
    sender, watcher = await publisher(worker), await viewer(worker)
    sender.send(sender.out.protect(rtp(1)))
    await watcher.rtp()
    stranger = UdpPeer(worker.watch(STREAM, obs_offer("recvonly")).answer)
    peers.append(stranger)
    rng = random.Random(3)
    good = sender.out.protect(rtp(2))
    for number in range(600):
        stranger.send(rng.randbytes(rng.randrange(1, 400)))
        stranger.send(b"\x00\x01" + rng.randbytes(40))
        stranger.send(bytes([128 + rng.randrange(64)]) + rng.randbytes(60))
        if number % 50 == 0:
            stranger.send(bytes(65_507))
            stranger.send(b"\x80\x60" + bytes(65_505))
            sender.send(b"\x80\x60" + bytes(20_000))
            sender.send(good[:-1] + bytes([good[-1] ^ 1]))
            await sender.checked()  # not faster than the socket's buffer is emptied
    stranger.send(good)
    sender.send(good)
    sender.send(good)
    await sender.checked()
    dropped = worker.counters.dropped
    assert dropped["rtp_of_no_publisher"] > 600
    assert dropped["stun_not_a_request"] + dropped["stun_malformed"] > 600
    assert dropped["unknown_protocol"] > 100
    assert sum(dropped[reason] for reason in ("rtp_refused", "too_long")) >= 25
    assert (await watcher.rtp()).endswith(KEYFRAME)
    sender.send(sender.out.protect(rtp(3)))
    assert (await watcher.rtp()).endswith(KEYFRAME)
    assert worker.viewers(STREAM) == 1


async def test_a_viewer_that_never_reads_leaves_the_others_alone(
    start_worker, publisher: Connect, viewer: Connect
) -> None:
    worker = await start_worker()
    sender, _, reader = await publisher(worker), await viewer(worker), await viewer(worker)
    for sequence in range(1, 1001):
        sender.send(sender.out.protect(rtp(sequence, KEYFRAME + bytes(1000))))
        assert len(await reader.rtp()) > 1000
    assert worker.viewers(STREAM) == 2


async def test_more_viewers_than_the_limit_are_refused_with_a_time_to_come_back(
    start_worker, publisher: Connect, viewer: Connect
) -> None:
    worker = await start_worker(max_viewers=1)
    await publisher(worker)
    await viewer(worker)
    with pytest.raises(TooManyViewers) as caught:
        worker.watch(STREAM, obs_offer("recvonly"))
    assert caught.value.retry_after_s > 0
