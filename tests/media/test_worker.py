"""The worker with real peers: aiortc publishes by WHIP and watches by WHEP."""

import asyncio
import re
import struct
from collections import Counter
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from aiortc import RTCPeerConnection

from media.errors import (
    InvalidSdp,
    MediaUnavailable,
    NoCommonCodec,
    NoMedia,
    PortTaken,
    PreconditionFailed,
    PreconditionRequired,
    StreamBusy,
    StreamHeld,
    StreamOffline,
    TooManyViewers,
    UnknownSession,
)
from media.events import StreamEnded, StreamInterrupted, StreamLive, ViewersChanged
from media.live import StreamState
from media.wire.extensions import Extension
from media.wire.header_extensions import header_extensions
from media.wire.rtp import parse_rtp
from media.worker import MediaWorker
from tests.support.udp_peer import UdpPeer, obs_offer
from tests.support.webrtc import Client

STREAM = UUID(int=5)
OWNER = UUID(int=1)

Start = Callable[..., Awaitable[MediaWorker]]
Connect = Callable[[MediaWorker], Awaitable[Client]]


async def test_pictures_and_sound_reach_a_viewer(
    worker: MediaWorker, publish: Connect, watch: Connect, events
) -> None:
    publisher = await publish(worker)
    assert await events.next() == StreamLive(STREAM)
    assert worker.live() == [STREAM]
    viewer = await watch(worker)
    frames = [await viewer.frame("video") for _ in range(5)]
    assert [(frame.width, frame.height) for frame in frames] == [(64, 48)] * 5
    assert (await viewer.frame("audio")).sample_rate == 48_000
    assert await events.next() == ViewersChanged(STREAM, 1)
    assert worker.viewers(STREAM) == 1

    stats = worker.stats(STREAM)
    assert stats is not None
    assert (stats.state, stats.viewers) == (StreamState.LIVE, 1)
    assert {track.codec for track in stats.tracks} == {"VP8", "Opus"}
    assert stats.packets_forwarded > 5
    assert all(track.lost == 0 for track in stats.tracks)

    worker.end_viewer(STREAM, viewer.session_id)
    assert await events.next() == ViewersChanged(STREAM, 0)
    worker.end_publisher(STREAM, publisher.session_id)
    assert await events.next() == StreamEnded(STREAM, "The publisher stopped.")
    assert worker.live() == []
    assert worker.totals().packets_forwarded >= stats.packets_forwarded  # ended, still counted
    assert worker.counters.sessions_ended == {"deleted": 2}
    assert worker.counters.datagrams["rtp"] > 5


async def test_what_a_viewer_loses_comes_again_by_rtx(
    worker: MediaWorker, publish: Connect, watch: Connect, events
) -> None:
    await publish(worker)
    await events.next()
    viewer = await watch(worker)
    await viewer.frame("video")
    (rtx,) = re.findall(r"a=rtpmap:(\d+) rtx/90000", viewer.accepted.answer)
    (original,) = re.findall(r"a=fmtp:\d+ apt=(\d+)", viewer.accepted.answer)
    transport = viewer.pc.getTransceivers()[0].receiver.transport
    handle, seen = transport._handle_rtp_data, Counter[int]()

    async def lossy(data: bytes, arrival_time_ms: int) -> None:
        payload_type = data[1] & 0x7F
        seen[payload_type] += 1
        if payload_type != int(original) or seen[payload_type] % 5:
            await handle(data, arrival_time_ms=arrival_time_ms)

    transport._handle_rtp_data = lossy
    while seen[int(rtx)] < 3:
        assert (await viewer.frame("video")).width == 64
    assert worker.stats(STREAM).packets_resent >= 3


async def test_a_viewer_that_reports_on_each_packet(start_worker: Start, events) -> None:
    worker = await start_worker(viewer_transport_cc=True)
    publisher = UdpPeer(worker.publish(STREAM, OWNER, obs_offer("sendonly")).answer)
    await publisher.connect()
    await events.next()
    offered = f"a=rtcp-fb:96 transport-cc\r\na=extmap:5 {Extension.TRANSPORT_SEQUENCE}"
    offer = obs_offer("recvonly").replace("a=rtcp-fb:96 nack", offered, 1)
    accepted = worker.watch(STREAM, offer.replace("a=rtcp-fb:96 nack\r\n", ""))
    assert "a=rtcp-fb:96 transport-cc\r\n" in accepted.answer
    viewer = UdpPeer(accepted.answer)
    await viewer.connect()
    await events.next()
    numbers = []
    for sequence in (1, 2, 3):
        packet = struct.pack("!BBHII", 0x80, 96, sequence, 0, 1412367219) + b"\x67picture"
        publisher.send(publisher.out.protect(packet))
        numbers += header_extensions(parse_rtp(await viewer.rtp()))
    assert numbers == [(5, b"\0\0"), (5, b"\0\1"), (5, b"\0\2")]
    lost_one = struct.pack("!BBHIIHH4xH2x", 0x8F, 205, 5, 1, 1, 0, 3, 0b1_0_10100000000000)
    viewer.send(viewer.out.protect_rtcp(lost_one))
    while worker.totals().viewer_packets_lost == 0:
        await viewer.checked()
    assert worker.totals().viewer_packets_lost == 1
    for peer in (publisher, viewer):
        peer.close()


async def test_a_publisher_that_comes_back_keeps_its_viewers(
    start_worker: Start, publish: Connect, watch: Connect, events
) -> None:
    worker = await start_worker()
    publisher = await publish(worker)
    assert await events.next() == StreamLive(STREAM)
    viewer = await watch(worker)
    await viewer.frame("video")
    assert await events.next() == ViewersChanged(STREAM, 1)

    await publisher.pc.close()  # says goodbye by DTLS
    assert await events.next() == StreamInterrupted(STREAM)
    assert worker.live() == [STREAM]

    await publish(worker)
    assert await events.next() == StreamLive(STREAM)
    for _ in range(10):
        await viewer.frame("video")
    assert worker.viewers(STREAM) == 1


async def test_a_publisher_that_stays_away_ends_the_stream(
    start_worker: Start, publish: Connect, watch: Connect, events
) -> None:
    worker = await start_worker(reconnect_window_s=0.3)
    publisher = await publish(worker)
    assert await events.next() == StreamLive(STREAM)
    viewer = await watch(worker)
    assert await events.next() == ViewersChanged(STREAM, 1)
    await publisher.pc.close()
    assert await events.next() == StreamInterrupted(STREAM)
    assert await events.next() == StreamEnded(STREAM, "The publisher did not come back.")
    assert worker.counters.sessions_ended == {"peer_closed": 1, "stream_ended": 1}
    with pytest.raises(UnknownSession):
        worker.end_viewer(STREAM, viewer.session_id)


async def test_a_publisher_that_vanishes_is_noticed(
    start_worker: Start, publish: Connect, events
) -> None:
    worker = await start_worker(consent_timeout_s=0.5)
    publisher = await publish(worker)
    assert await events.next() == StreamLive(STREAM)
    await publisher.vanish()
    assert await events.next() == StreamInterrupted(STREAM)
    assert worker.counters.sessions_ended == {"consent_lost": 1}


async def test_a_second_publisher_is_refused_and_a_dead_one_replaced(
    start_worker: Start, publish: Connect, client, events
) -> None:
    worker = await start_worker(takeover_silence_s=0.5)
    former = await publish(worker)
    assert await events.next() == StreamLive(STREAM)
    with pytest.raises(StreamBusy):
        await publish(worker)
    await former.vanish()
    replaced = False
    while not replaced:
        try:
            await publish(worker)
            replaced = True
        except StreamBusy:
            await asyncio.sleep(0.1)  # until the former one has been silent for long enough
    assert await events.next() == StreamInterrupted(STREAM)
    assert await events.next() == StreamLive(STREAM)
    assert worker.counters.sessions_ended == {"replaced": 1}


async def test_another_person_never_takes_a_stream_over(
    worker: MediaWorker, publish: Connect, client, events
) -> None:
    publisher = await publish(worker)
    await events.next()
    await publisher.pc.close()
    assert await events.next() == StreamInterrupted(STREAM)
    with pytest.raises(StreamBusy):
        worker.publish(STREAM, UUID(int=2), await offer("sendonly"))


async def test_stopping_a_stream_tells_why(worker: MediaWorker, publish: Connect, events) -> None:
    await publish(worker)
    await events.next()
    worker.stop_stream(STREAM, "against the rules")
    assert await events.next() == StreamEnded(STREAM, "against the rules")
    worker.stop_stream(STREAM, "again")
    assert events.pending() == []
    assert worker.stats(STREAM) is None


async def test_a_stream_that_was_stopped_with_a_hold_stays_stopped(
    worker: MediaWorker, publish: Connect, events
) -> None:
    await publish(worker)
    await events.next()
    worker.stop_stream(STREAM, "against the rules", hold=True)
    assert await events.next() == StreamEnded(STREAM, "against the rules")
    with pytest.raises(StreamHeld) as caught:
        worker.publish(STREAM, UUID(int=1), await offer("sendonly"))
    assert 0 < caught.value.retry_after_s <= 60


async def test_a_viewer_without_the_codec_is_refused(
    worker: MediaWorker, publish: Connect, events
) -> None:
    await publish(worker)
    await events.next()
    without_vp8 = (await offer("recvonly")).replace("VP8/90000", "H263/90000")
    assert "m=video 0 " in worker.watch(STREAM, without_vp8).answer
    with pytest.raises(NoCommonCodec, match="OPUS and VP8"):
        worker.watch(STREAM, without_vp8.replace("opus/48000", "speex/48000"))


async def test_offers_that_are_refused(start_worker: Start, events) -> None:
    worker = await start_worker(max_streams=1, max_pending_sessions=2)
    with pytest.raises(StreamOffline):
        worker.watch(STREAM, await offer("recvonly"))
    with pytest.raises(InvalidSdp):
        worker.publish(STREAM, OWNER, "hello")
    with pytest.raises(NoMedia):
        worker.publish(STREAM, OWNER, await offer("recvonly"))
    worker.publish(STREAM, OWNER, await offer("sendonly"))
    with pytest.raises(StreamOffline):  # its publisher has not connected yet
        worker.watch(STREAM, await offer("recvonly"))
    with pytest.raises(StreamBusy):
        worker.publish(STREAM, OWNER, await offer("sendonly"))
    with pytest.raises(MediaUnavailable):
        worker.publish(UUID(int=6), OWNER, await offer("sendonly"))
    assert (worker.live(), worker.stats(STREAM), worker.viewers(STREAM)) == ([], None, 0)
    assert events.pending() == []


async def test_viewers_have_a_limit(start_worker: Start, publish: Connect, events) -> None:
    worker = await start_worker(max_viewers=1)
    await publish(worker)
    await events.next()
    first = worker.watch(STREAM, await offer("recvonly"))
    with pytest.raises(TooManyViewers):
        worker.watch(STREAM, await offer("recvonly"))
    worker.end_viewer(STREAM, first.session_id)
    worker.watch(STREAM, await offer("recvonly"))


async def test_sessions_that_connect_have_a_limit(
    start_worker: Start, publish: Connect, events
) -> None:
    worker = await start_worker(max_pending_sessions=1)
    await publish(worker)
    await events.next()
    worker.watch(STREAM, await offer("recvonly"))
    with pytest.raises(MediaUnavailable):
        worker.watch(STREAM, await offer("recvonly"))


async def test_a_publisher_that_never_connects_leaves_nothing(start_worker: Start, events) -> None:
    worker = await start_worker(handshake_timeout_s=0.2)
    accepted = worker.publish(STREAM, OWNER, await offer("sendonly"))
    while not worker.counters.sessions_ended:
        await asyncio.sleep(0.05)
    assert worker.counters.sessions_ended == {"handshake_timeout": 1}
    with pytest.raises(UnknownSession):
        worker.end_publisher(STREAM, accepted.session_id)
    worker.publish(STREAM, UUID(int=2), await offer("sendonly"))
    assert events.pending() == []


async def test_ice_restart_and_trickle(
    worker: MediaWorker, publish: Connect, watch: Connect, events
) -> None:
    publisher = await publish(worker)
    await events.next()
    viewer = await watch(worker)
    await viewer.frame("video")
    etag = viewer.accepted.etag
    candidate = "m=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n"
    fresh = "a=ice-ufrag:freshufrag\r\na=ice-pwd:freshpasswordfreshpassword\r\n"

    with pytest.raises(PreconditionRequired):
        worker.patch_viewer(STREAM, viewer.session_id, candidate, None)
    with pytest.raises(PreconditionFailed):
        worker.patch_viewer(STREAM, viewer.session_id, candidate, '"other"')
    with pytest.raises(PreconditionFailed):
        worker.patch_viewer(STREAM, viewer.session_id, fresh, etag)
    with pytest.raises(InvalidSdp):
        worker.patch_viewer(STREAM, viewer.session_id, "a=ice-ufrag:only\r\n", "*")
    for url_of_other_role in (worker.patch_publisher, worker.patch_viewer):
        session = viewer if url_of_other_role == worker.patch_publisher else publisher
        with pytest.raises(UnknownSession):
            url_of_other_role(STREAM, session.session_id, candidate, "*")

    taken = worker.patch_viewer(STREAM, viewer.session_id, candidate, f'"other", {etag}')
    assert (taken.status, taken.etag, taken.body) == (204, etag, None)
    restarted = worker.patch_viewer(STREAM, viewer.session_id, fresh, "*")
    assert restarted.status == 200
    assert restarted.etag != etag
    assert "a=ice-lite" in restarted.body
    assert restarted.etag.strip('"') in restarted.body
    again = worker.patch_viewer(STREAM, viewer.session_id, fresh, "*")
    assert (again.status, again.etag) == (204, restarted.etag)
    await viewer.frame("video")  # the old credentials hold until the new ones are used


async def test_only_a_whip_url_ends_a_publisher(
    worker: MediaWorker, publish: Connect, watch: Connect, events
) -> None:
    publisher = await publish(worker)
    await events.next()
    viewer = await watch(worker)
    for call, session_id in (
        (worker.end_viewer, publisher.session_id),
        (worker.end_publisher, viewer.session_id),
        (worker.end_viewer, "guess"),
    ):
        with pytest.raises(UnknownSession):
            call(STREAM, session_id)
    with pytest.raises(UnknownSession):
        worker.end_viewer(UUID(int=9), viewer.session_id)
    assert worker.live() == [STREAM]


async def test_a_taken_port_is_told_at_start(worker: MediaWorker, start_worker: Start) -> None:
    with pytest.raises(PortTaken, match=f"UDP port {worker.port} .* is in use"):
        await start_worker(udp_port=worker.port)


async def test_stopping_ends_every_session(start_worker: Start, publish: Connect, events) -> None:
    worker = await start_worker()
    await publish(worker)
    await events.next()
    await worker.stop()
    assert await events.next() == StreamEnded(STREAM, "The server stops.")


async def offer(direction: str) -> str:
    """An offer of aiortc for picture and sound, of a client that will never connect."""
    connection = RTCPeerConnection()
    for kind in ("video", "audio"):
        connection.addTransceiver(kind, direction=direction)
    await connection.setLocalDescription(await connection.createOffer())
    text = connection.localDescription.sdp
    await connection.close()
    return text
