"""The native plane over real loopback sockets; libsrtp is the other side."""

import asyncio
import gc
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Callable

import pytest

from config.media import MediaSettings
from media.errors import PortTaken
from media.session import Role
from media.transport.demux import DatagramKind
from media.transport.srtp import SrtpProfile
from media.wire.rtcp import (
    build_nack,
    build_pli,
    build_receiver_report,
    build_sdes,
)
from tests.support.native import require_native

require_native()
from media.native_plane import NativePlane  # noqa: E402
from tests.support.plane_peer import (  # noqa: E402
    AUDIO,
    DELTA,
    KEY,
    VIDEO,
    Listener,
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


@pytest.mark.parametrize("profile", SrtpProfile)
async def test_what_is_published_reaches_the_viewers(
    stage: PlaneStage, profile: SrtpProfile
) -> None:
    publisher, one, two = stage.publisher(profile), stage.viewer(profile), stage.viewer(profile)
    publisher.send(rtp(1, KEY), rtp(2), rtp(9, b"sound", ssrc=0xA0, payload_type=111))
    for viewer in (one, two):
        assert sorted(await viewer.payloads(3)) == [KEY, DELTA, b"sound"]
    await stage.settled()
    assert stage.stream.counters.forwarded == 6
    assert [(s.kind, s.packets, s.octets) for s in stage.stream.sent(one.number)] == [
        ("video", 2, len(KEY + DELTA)),
        ("audio", 1, 5),
    ]
    assert stage.plane.heard_at(publisher.number) > 0
    assert stage.plane.heard_at(one.number) == float("-inf")
    assert stage.plane.counts().datagrams == {"rtp": 3, "stun": 2}
    times = stage.plane.relay_times()
    assert times.count == 3
    # Each bucket begins where the one before ends: 4 % lower.
    most_s = sum(bound_s * count for bound_s, count in times.buckets)
    assert most_s * 0.95 < times.total_s < most_s
    assert 0 < stage.plane.cpu_s < 1


async def test_lost_packets_are_resent_within_the_viewer_s_budget(new_stage: NewStage) -> None:
    stage = new_stage(resend_packets_per_s=2)
    publisher, viewer = stage.publisher(), stage.viewer()
    publisher.send(rtp(1, KEY), rtp(2, b"\x10\x01two"), rtp(3, b"\x10\x01three"))
    sent = [await viewer.datagram() for _ in range(3)]
    numbers = [struct.unpack_from("!H", datagram, 2)[0] for datagram in sent]
    viewer.send_rtcp(build_nack(1, viewer.video_ssrc, numbers))
    assert [await viewer.datagram() for _ in range(2)] == sent[:2]
    await stage.settled()
    assert stage.stream.counters.resent == 2
    assert stage.dropped() == {"nack_over_budget": 1}
    assert stage.stream.answers_nacks
    assert stage.listener.rtcp == []
    assert stage.plane.heard_at(viewer.number) > 0


async def test_a_nack_of_another_s_track_is_not_answered(stage: PlaneStage) -> None:
    publisher, one, two = stage.publisher(), stage.viewer(), stage.viewer()
    publisher.send(rtp(1, KEY))
    header, _ = await one.packet()
    two.send_rtcp(build_nack(1, one.video_ssrc, [header.sequence]))
    await stage.settled()
    assert stage.stream.counters.resent == 0


async def test_other_rtcp_goes_up_decrypted(stage: PlaneStage) -> None:
    publisher, viewer = stage.publisher(), stage.viewer()
    request = build_receiver_report(1, ()) + build_pli(1, viewer.video_ssrc)
    names = build_receiver_report(1, ()) + build_sdes([1], "x")
    viewer.send_rtcp(request)
    viewer.send_rtcp(names)
    publisher.send_rtcp(names)
    await stage.settled()
    assert stage.listener.rtcp == [(viewer.number, request), (publisher.number, names)]


async def test_a_malformed_compound_is_counted(stage: PlaneStage) -> None:
    viewer = stage.viewer()
    viewer.send_rtcp(struct.pack("!BBHI", 0x81, 201, 1, 7))  # a report without its block
    await stage.settled()
    assert stage.dropped() == {"rtcp_malformed": 1}
    assert stage.stream.refused == 1
    assert stage.listener.rtcp == []


async def test_rtcp_is_sent_to_where_the_peer_is_selected(stage: PlaneStage) -> None:
    viewer, away = stage.viewer(), stage.stranger()
    report = build_receiver_report(1, ())
    stage.plane.send_rtcp(viewer.number, report)
    assert await viewer.rtcp() == report
    stage.plane.select(viewer.number, away.address)
    stage.plane.send_rtcp(viewer.number, report)
    await away.datagram()
    stage.plane.send_rtcp(99, report)
    assert stage.plane.counts().unsent == 0


async def test_media_follows_the_selected_address(stage: PlaneStage) -> None:
    publisher, viewer, away = stage.publisher(), stage.viewer(), stage.stranger()
    stage.plane.select(viewer.number, away.address)
    publisher.send(rtp(1, KEY))
    assert len(await away.datagram()) == 12 + len(KEY) + 16


async def test_stun_and_dtls_go_up_with_where_they_came_from(stage: PlaneStage) -> None:
    stranger = stage.stranger()
    stranger.send_raw(b"\0\1stun")
    stranger.send_raw(b"\x16\xfe\xfddtls")
    await stage.settled()
    assert stage.listener.control[:2] == [
        (DatagramKind.STUN, b"\0\1stun", stranger.address),
        (DatagramKind.DTLS, b"\x16\xfe\xfddtls", stranger.address),
    ]
    assert stage.plane.send(b"answer", stranger.address)
    assert await stranger.datagram() == b"answer"


async def test_a_publisher_over_its_bit_rate_loses_the_excess(new_stage: NewStage) -> None:
    stage = new_stage(max_publisher_bitrate_bps=100_000)
    publisher, viewer = stage.publisher(), stage.viewer()
    publisher.send(*(rtp(number, KEY + bytes(1_000)) for number in range(30)))
    await viewer.packet()
    await stage.settled()
    assert 30 - 13 <= stage.stream.over_bitrate <= 30 - 12
    assert stage.stream.counters.forwarded == 30 - stage.stream.over_bitrate


async def test_attention_is_asked_for_once_a_reason(stage: PlaneStage) -> None:
    viewer = stage.viewer()  # waits for a keyframe
    await stage.listener.until(lambda: stage.listener.attention == [1])
    publisher = stage.publisher()
    publisher.send(rtp(1, KEY))  # a source that nobody knew
    await viewer.packet()
    await stage.listener.until(lambda: stage.listener.attention == [1, 1])
    publisher.send(rtp(3))  # and one packet is missing
    await stage.listener.until(lambda: stage.listener.attention == [1, 1, 1])
    missing = stage.stream.missing(asyncio.get_running_loop().time())
    assert missing == (0xB0, (2,))


async def test_the_relay_s_questions_are_answered(stage: PlaneStage) -> None:
    now = asyncio.get_running_loop().time()
    publisher, viewer = stage.publisher(), stage.viewer()
    assert stage.stream.media_ssrc("video") == 0xB0
    publisher.send(rtp(1, KEY), rtp(4))
    await viewer.payloads(2)
    await stage.settled()
    (block,) = stage.stream.reports(now + 1)
    assert (block.ssrc, block.lost, block.highest_sequence) == (0xB0, 2, 4)
    (stats, _) = stage.stream.stats(now + 1)
    assert (stats.kind, stats.codec, stats.packets, stats.lost) == ("video", "vp8", 2, 2)
    assert (stage.stream.keyframes, stage.stream.waiting, stage.stream.refused) == (1, 0, 0)


async def test_a_publisher_comes_back_and_the_former_is_no_longer_heard(stage: PlaneStage) -> None:
    former, viewer = stage.publisher(), stage.viewer()
    former.send(rtp(1, KEY))
    first, _ = await viewer.packet()
    stage.stream.publisher_gone()
    former.send(rtp(2))
    await stage.settled()
    assert stage.stream.media_ssrc("video") is None
    publisher = stage.publisher()
    former.send(rtp(3))
    publisher.send(rtp(700, KEY))
    second, _ = await viewer.packet()
    assert second.sequence == (first.sequence + 1) & 0xFFFF
    await stage.settled()
    assert stage.dropped() == {"rtp_of_no_publisher": 2}


async def test_who_shares_an_address_is_told_by_the_source(stage: PlaneStage) -> None:
    publisher = stage.publisher()
    plane, report = stage.plane, build_receiver_report
    plane.add_peer(50, Role.PUBLISHER, publisher.keys, [publisher.address], [0xC2])  # not its own
    plane.bind(publisher.number, ("127.0.0.1", 9))
    plane.unbind(publisher.number, publisher.address)
    publisher.send_rtcp(report(0xC1, ()))
    publisher.send_rtcp(report(0xC2, ()))
    await stage.settled()
    assert stage.listener.rtcp == [(50, report(0xC2, ()))]
    plane.add_peer(51, Role.PUBLISHER, publisher.keys, [publisher.address], [0xC3, 0xC4])
    for ssrc in (0xC4, 0xC2, 0xC3):
        publisher.send_rtcp(report(ssrc, ()))
    plane.remove_peer(50)
    await stage.settled()
    assert [number for number, _ in stage.listener.rtcp[1:]] == [51, 50, 51]
    publisher.send_rtcp(report(0xC2, ()))
    publisher.send_rtcp(report(0xC3, ()))
    await stage.settled()
    assert [number for number, _ in stage.listener.rtcp[4:]] == [51]
    assert stage.dropped() == {"rtcp_of_no_session": 2}


async def test_pause_resume_and_resend(stage: PlaneStage) -> None:
    publisher, viewer = stage.publisher(), stage.viewer()
    publisher.send(rtp(1, KEY))
    sent = await viewer.datagram()
    number, ssrc = struct.unpack_from("!2xH4xI", sent)
    stage.stream.resend(viewer.number, ssrc, (number,), 0.0)
    assert await viewer.datagram() == sent
    stage.stream.pause(viewer.number)
    publisher.send(rtp(2))
    await stage.settled()
    stage.stream.resume(viewer.number)
    publisher.send(rtp(3, b"\x10\x00again"))
    again = await viewer.datagram()
    assert struct.unpack_from("!2xH", again)[0] == number + 1 & 0xFFFF


async def test_numbers_that_are_taken_or_unknown(stage: PlaneStage) -> None:
    viewer = stage.viewer()
    with pytest.raises(ValueError, match="served"):
        stage.stream.add_viewer(viewer.viewer(), 0.0)
    with pytest.raises(ValueError, match="number"):
        stage.plane.add_peer(viewer.number, Role.VIEWER, viewer.keys, [viewer.address])
    with pytest.raises(ValueError, match="address"):
        stage.plane.add_peer(99, Role.VIEWER, viewer.keys, [])
    with pytest.raises(ValueError, match="there already"):
        stage.plane.stream(1)
    stage.stream.remove_viewer(viewer.number)
    with pytest.raises(ValueError, match="once"):  # its keys have been used
        stage.stream.add_viewer(viewer.viewer(), 0.0)
    for number in (98, 99):
        stage.plane.bind(number, viewer.address)
        stage.plane.unbind(number, viewer.address)
        stage.plane.select(number, viewer.address)
        stage.plane.remove_peer(number)
        stage.stream.remove_viewer(number)
        stage.stream.pause(number)
        stage.stream.resume(number)
        stage.stream.resend(number, 1, (1,), 0.0)
    stage.stream.set_publisher(99, [VIDEO], 0.0)
    assert stage.stream.media_ssrc("video") is None
    assert (stage.plane.heard_at(99), stage.stream.sent(99)) == (float("-inf"), ())


async def test_an_address_that_was_unbound_is_a_stranger_s(stage: PlaneStage) -> None:
    publisher, second = stage.publisher(), stage.stranger()
    stage.plane.bind(publisher.number, second.address)
    second.send_raw(publisher.out.protect(rtp(1, KEY)))
    await stage.settled()
    assert stage.stream.keyframes == 1
    stage.plane.unbind(publisher.number, second.address)
    second.send_raw(publisher.out.protect(rtp(2, KEY)))
    await stage.settled()
    assert stage.dropped() == {"rtp_of_no_publisher": 1}


async def test_a_stream_that_is_closed_keeps_its_totals(stage: PlaneStage) -> None:
    publisher, viewer = stage.publisher(), stage.viewer()
    publisher.send(rtp(1, KEY))
    await viewer.packet()
    await stage.settled()
    stage.stream.close()
    publisher.send(rtp(2))
    await stage.settled()
    assert (stage.stream.counters.forwarded, stage.stream.waiting) == (1, 0)
    assert stage.dropped() == {"rtp_of_no_publisher": 1}
    stage.plane.stream(1).set_publisher(publisher.number, [VIDEO, AUDIO], 0.0)


async def test_a_plane_that_is_not_open_has_counted_nothing() -> None:
    plane = NativePlane(MediaSettings(udp_port=0))
    assert plane.counts().datagrams == {}
    assert plane.relay_times().count == 0


async def test_a_plane_is_closed_twice_or_never(new_stage: NewStage) -> None:
    stage, other = new_stage(), new_stage()
    port = stage.plane.port
    with pytest.raises(PortTaken, match="in use"):
        NativePlane(MediaSettings(udp_port=port)).open(Listener())
    stage.publisher()
    stage.viewer()
    stage.plane.close()
    stage.plane.close()
    with pytest.raises(RuntimeError):
        _ = stage.plane.port
    stage.plane.remove_peer(1)  # what comes too late changes nothing
    stage.stream.close()
    assert not stage.plane.send(b"x", ("127.0.0.1", 9))
    assert stage.plane.cpu_s == 0
    again = new_stage(udp_port=port)
    publisher, viewer = again.publisher(), again.viewer()
    publisher.send(rtp(1, KEY))
    assert await viewer.payloads(1) == [KEY]
    assert other.plane.port != port


def test_a_plane_that_nobody_closed_does_not_outlive_the_interpreter() -> None:
    program = (
        "import asyncio\n"
        "from tests.support.plane_peer import PlaneStage, KEY, rtp\n"
        "kept = []\n"
        "async def forget():\n"
        "    kept.append(PlaneStage())\n"
        "    publisher, viewer = kept[0].publisher(), kept[0].viewer()\n"
        "    publisher.send(*(rtp(number, KEY) for number in range(200)))\n"
        "asyncio.run(forget())\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def test_a_plane_that_nobody_closed_ends_with_its_loop() -> None:
    async def forget() -> None:
        stage = PlaneStage()
        publisher = stage.publisher()
        stage.viewer()
        publisher.send(*(rtp(number, KEY) for number in range(50)))

    asyncio.run(forget())
    gc.collect()
