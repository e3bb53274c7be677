"""The native plane under pressure: floods, forgeries, comings and goings while it is at work."""

import asyncio
import os
import resource
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from media.session import Role
from media.wire.rtcp import (
    SenderReport,
    build_nack,
    build_receiver_report,
    build_sender_report,
)
from tests.support.native import require_native

require_native()
from tests.support.plane_peer import (  # noqa: E402
    AUDIO,
    KEY,
    PATIENCE_S,
    VIDEO,
    PlaneStage,
    plane_stages,
    rtp,
)

NewStage = Callable[..., PlaneStage]


@pytest.fixture
async def new_stage() -> AsyncIterator[NewStage]:
    async with plane_stages() as make:
        yield make


@pytest.fixture
async def stage(new_stage: NewStage) -> PlaneStage:
    return new_stage()


async def test_what_is_not_right_is_dropped_by_reason(stage: PlaneStage) -> None:
    publisher, viewer, stranger = stage.publisher(), stage.viewer(), stage.stranger()
    good = publisher.out.protect(rtp(1, KEY))
    rtcp = publisher.out.protect_rtcp(build_receiver_report(1, ()))
    stranger.send_raw(good)  # an address that is not the publisher's
    viewer.send(rtp(1))
    publisher.send_raw(good[:-1] + bytes((good[-1] ^ 1,)))
    publisher.send_raw(good)
    publisher.send_raw(good)
    publisher.send_raw(good[:11])
    stranger.send_raw(rtcp)
    viewer.send_raw(rtcp)
    stranger.send_raw(b"")
    stranger.send_raw(b"\xff" * 40)
    for peer in (publisher, stranger):
        peer.send_raw(bytes((0x80, 96)) + bytes(65_000))
        peer.send_raw(b"\0\1" + bytes(3_000))
    assert await viewer.payloads(1) == [KEY]
    await stage.settled()
    assert stage.dropped() == {
        "rtp_of_no_publisher": 2,
        "rtp_refused": 3,
        "rtcp_of_no_session": 1,
        "rtcp_refused": 1,
        "unknown_protocol": 2,
        "too_long": 4,
    }


async def test_viewers_come_and_go_while_it_is_sending(stage: PlaneStage) -> None:
    publisher, steady = stage.publisher(), stage.viewer()
    guests = []
    for number in range(200):
        publisher.send(rtp(number, KEY))
        guests.append(stage.viewer())
        if len(guests) > 5:
            stage.plane.remove_peer(guests.pop(0).number)
    assert await steady.payloads(200) == [KEY] * 200
    await stage.settled()
    assert stage.stream.counters.forwarded >= 200


async def test_everything_can_be_read_while_it_is_sending(stage: PlaneStage) -> None:
    now = asyncio.get_running_loop().time()
    publisher, viewer = stage.publisher(), stage.viewer()
    for number in range(0, 600, 2):  # every other is missing
        publisher.send(rtp(number, KEY + bytes(900)))
        publisher.send_rtcp(build_sender_report(SenderReport(0xB0, 1 << 40, number, 0, 0)))
        viewer.send_rtcp(build_nack(1, viewer.video_ssrc, [number]))
        stage.plane.send_rtcp(viewer.number, build_receiver_report(1, ()))
        stage.stream.on_sender_report(SenderReport(0xB0, 1 << 40, number, 0, 0), now)
        stage.stream.missing(now + number)
        stage.stream.reports(now)
        stage.stream.stats(now)
        stage.stream.clock("video")
        stage.stream.sent(viewer.number)
        assert stage.stream.waiting + stage.stream.refused + stage.stream.over_bitrate <= 1
        assert stage.stream.counters.forwarded <= stage.stream.keyframes
        assert stage.plane.heard_at(publisher.number) < now + PATIENCE_S
        assert stage.plane.counts().unsent == 0
        assert stage.plane.relay_times().count <= number // 2 + 1
        if number == 300:
            stage.stream.set_publisher(publisher.number, [VIDEO, AUDIO], now)
    await stage.settled()
    assert stage.stream.sent(viewer.number)[0].packets == stage.stream.counters.forwarded


async def test_a_flood_of_garbage_is_counted_and_slows_nobody(stage: PlaneStage) -> None:
    publisher, viewer, stranger = stage.publisher(), stage.viewer(), stage.stranger()
    for number in range(100):
        for first in (0x80, 0xFF, 0x90, 0xC8):
            for _ in range(25):
                stranger.send_raw(bytes((first, number, 1, 2)) * 10)
        publisher.send(rtp(number, KEY))
        await viewer.packet()
    await stage.settled()
    assert sum(stage.dropped().values()) == 10_000
    assert stage.stream.counters.forwarded == 100


async def test_a_flood_of_checks_by_strangers_leaves_room_for_peers(stage: PlaneStage) -> None:
    publisher, stranger = stage.publisher(), stage.stranger()
    sent = 0
    # More than there is room for, while the event loop does not listen.
    while "control_overflow" not in stage.dropped() and sent < 100_000:
        for _ in range(1_000):
            stranger.send_raw(b"\0\1" + bytes(300))
        sent += 1_000
        time.sleep(0.001)  # the plane's thread reads
    publisher.send_raw(b"\0\1mine")
    await stage.listener.until(
        lambda: publisher.address in [each.address for each in stage.listener.control[-32:]]
    )
    assert 0 < stage.dropped()["control_overflow"] < sent
    assert all(len(turn) <= 8 for turn in stage.listener.turns)


async def test_a_plane_of_ipv6(new_stage: NewStage) -> None:
    stage = new_stage(bind_host="::1")
    publisher, viewer = stage.publisher(), stage.viewer()
    publisher.send(rtp(1, KEY))
    assert await viewer.payloads(1) == [KEY]
    publisher.send_raw(b"\0\1stun")
    await stage.listener.until(lambda: bool(stage.listener.control))
    assert stage.listener.control[0].address == publisher.address
    assert stage.plane.send(b"answer", publisher.address)


@pytest.mark.skipif(
    "asan" in os.environ.get("LD_PRELOAD", ""), reason="AddressSanitizer keeps what was freed"
)
async def test_peers_that_come_and_go_leave_nothing(stage: PlaneStage) -> None:
    viewer = stage.viewer()

    def come_and_go(number: int) -> None:
        stage.plane.add_peer(number, Role.VIEWER, viewer.keys, [("127.0.0.1", 9)])
        stage.stream.add_viewer(replace(viewer.viewer(), viewer_id=number), 0.0)
        stage.plane.remove_peer(number)

    for number in range(1_000, 1_200):
        come_and_go(number)
    await stage.settled()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(2_000, 3_000):
        come_and_go(number)
        if number % 50 == 0:
            await stage.settled()
    await stage.settled()
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 8 * 1_000 / 2  # each took more than 8 KiB while it was there


async def test_a_viewer_that_never_reads_slows_nobody(stage: PlaneStage) -> None:
    publisher, deaf, viewer = stage.publisher(), stage.viewer(), stage.viewer()
    deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    for number in range(300):
        publisher.send(rtp(number, KEY + bytes(1_000)))
        await viewer.packet()
