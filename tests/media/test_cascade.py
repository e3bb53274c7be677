"""Two workers without a socket: one has the publisher, the other fans its stream out, too."""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from typing import cast
from uuid import UUID

import pytest

from media.errors import StreamBusy, StreamOffline
from media.events import StreamEnded, StreamInterrupted, StreamLive, ViewersChanged
from media.feeds import Feed, FeedKeys, Link
from media.live import StreamState
from media.relay.tracks import Address
from media.session import EndReason
from media.transport.demux import DatagramKind, classify
from media.transport.srtp import SrtpSender
from media.wire.rtcp import Nack, PictureLoss, SenderReport, build_sender_report, parse_rtcp
from media.wire.rtp import RtpHeader, parse_rtp
from media.worker import MediaWorker
from tests.media.conftest import Events
from tests.support.media_stage import OWNER, STREAM, Stage
from tests.support.scripted_peer import ScriptedPeer
from tests.support.webrtc import Client

OTHER, BACK = UUID(int=6), UUID(int=7)
ORIGIN, EDGE = ("127.0.0.1", 7000), ("127.0.0.1", 7001)
H264_KEYFRAME = b"\x67parameters"
H264_DELTA = b"\x41delta"
PUBLISHER_SSRC = 1412367219

Loses = Callable[[bytes], bool]


def rtp(sequence: int, payload: bytes = H264_KEYFRAME) -> bytes:
    return (
        struct.pack("!BBHII", 0x80, 0x80 | 96, sequence, sequence * 3000, PUBLISHER_SSRC) + payload
    )


class Pair:
    """An origin and an edge, and what goes between them."""

    def __init__(self) -> None:
        self.origin, self.edge = Stage(), Stage()
        self.publisher = self.origin.connect(self.origin.publisher(4000))
        self.number = 0
        self.feed()

    def feed(self, stream_id: UUID = STREAM) -> Feed:
        """Agree to a feed, in place of the one before."""
        before, self.number = self.number, self.number + 1
        keys = FeedKeys.fresh()
        self.origin.cascade.close_feed(stream_id, before)
        link = Link(self.number, EDGE, keys)
        feed = self.origin.cascade.open_feed(stream_id, link, self.origin.now)
        link = Link(self.number, ORIGIN, keys)
        self.edge.cascade.pull(stream_id, OWNER, link, feed, now=self.edge.now)
        return feed

    def send(self, *packets: bytes, lose: int | None = None) -> None:
        """The publisher sends; the n-th datagram between the workers gets lost."""
        self.origin.receive(self.publisher.rtp(*packets))
        self.carry(lose=lose)

    def carry(self, *, lose: int | None = None) -> None:
        """Everything that waits goes to the other worker."""
        sent, self.origin.sink.sent = self.origin.sink.sent, []
        media = [datagram for datagram, address in sent if address == EDGE]
        if lose is not None:
            del media[lose]
        self.edge.receive([(datagram, ORIGIN) for datagram in media])
        for stage, other, at, to in (
            (self.origin, self.edge, ORIGIN, EDGE),
            (self.edge, self.origin, EDGE, ORIGIN),
        ):
            other.receive([(each, at) for each in stage.wire.take(to, DatagramKind.RTCP)])

    def pass_time(self, seconds: float) -> None:
        for stage in (self.origin, self.edge):
            stage.now += seconds
            stage.traffic.poll(stage.registry.streams.values(), stage.now)
        self.carry()

    def viewer(self) -> ScriptedPeer:
        """A viewer at the edge."""
        return self.edge.connect(self.edge.viewer(5000))

    def shown(self, viewer: ScriptedPeer) -> list[tuple[RtpHeader, bytes]]:
        """What the viewer got since the last time, decrypted."""
        assert viewer.srtp_in is not None
        sent = self.edge.sink.sent
        packets = [viewer.srtp_in.unprotect(each) for each, to in sent if to == viewer.address]
        self.edge.sink.sent = [(each, to) for each, to in sent if to != viewer.address]
        return [
            (header := parse_rtp(packet), packet[header.payload_start : header.payload_end])
            for packet in packets
            if packet is not None
        ]

    def asked(self, kind: type, publisher: ScriptedPeer | None = None) -> list[object]:
        """What of this kind the publisher was asked."""
        asked = publisher or self.publisher
        assert asked.srtp_in is not None
        heard = self.origin.wire.take(asked.address, DatagramKind.RTCP)
        packets = [asked.srtp_in.unprotect_rtcp(each) for each in heard]
        messages = [each for packet in packets if packet for each in parse_rtcp(packet)]
        return [each for each in messages if isinstance(each, kind)]


@pytest.fixture
def pair() -> Pair:
    return Pair()


def test_a_viewer_at_the_edge_gets_the_publisher_s_packets(pair: Pair) -> None:
    assert pair.edge.events == [StreamLive(STREAM)]
    viewer = pair.viewer()
    assert pair.edge.events[-1] == ViewersChanged(STREAM, 1)
    pair.send(rtp(1), rtp(2, H264_DELTA))
    shown = pair.shown(viewer)
    assert [payload for _, payload in shown] == [H264_KEYFRAME, H264_DELTA]
    assert {header.ssrc for header, _ in shown} <= {track.ssrc for track in viewer.session.sent}
    assert shown[1][0].timestamp - shown[0][0].timestamp == 3000
    assert (pair.origin.dropped, pair.edge.dropped) == ({}, {})
    # To the origin the edge is no viewer.
    assert pair.origin.registry.streams[STREAM].stats(pair.origin.now).viewers == 0
    assert pair.origin.registry.viewers == 0
    assert (pair.origin.cascade.pulled, pair.edge.cascade.pulled) == (0, 1)


def test_what_is_lost_between_the_workers_comes_again(pair: Pair) -> None:
    viewer = pair.viewer()
    pair.send(rtp(1))
    pair.send(rtp(2, H264_DELTA), rtp(3, b"\x41third"), rtp(4, b"\x41fourth"), lose=1)
    assert [payload for _, payload in pair.shown(viewer)] == [
        H264_KEYFRAME,
        H264_DELTA,
        b"\x41fourth",
    ]
    for _ in range(3):
        pair.pass_time(0.05)
    [(late, payload)] = pair.shown(viewer)
    assert payload == b"\x41third"
    assert late.sequence is not None
    assert pair.asked(Nack) == []  # the origin had it
    assert pair.origin.registry.streams[STREAM].stats(pair.origin.now).packets_resent == 1


def test_a_keyframe_that_is_asked_for_at_the_edge_is_asked_of_the_publisher(pair: Pair) -> None:
    pair.send(rtp(1), rtp(2, H264_DELTA))
    pair.pass_time(1.5)
    pair.asked(PictureLoss)
    pair.send(rtp(3, H264_DELTA))
    pair.viewer()  # waits for a keyframe
    pair.pass_time(1.5)
    pair.pass_time(0.05)
    assert pair.asked(PictureLoss) != []


def test_the_publisher_s_clock_reaches_viewers_at_the_edge(pair: Pair) -> None:
    viewer = pair.viewer()
    pair.send(rtp(1))
    ntp = 0x12345678 << 32
    report = build_sender_report(SenderReport(PUBLISHER_SSRC, ntp, 3000, 1, 10))
    pair.origin.receive(pair.publisher.rtcp(report))
    for _ in range(40):
        pair.pass_time(0.05)
    assert viewer.srtp_in is not None
    heard = pair.edge.wire.take(viewer.address, DatagramKind.RTCP)
    packets = [viewer.srtp_in.unprotect_rtcp(each) for each in heard]
    reports = [
        each
        for packet in packets
        if packet
        for each in parse_rtcp(packet)
        if isinstance(each, SenderReport)
    ]
    [(header, _)] = pair.shown(viewer)
    assert reports
    # One clock: at the publisher's NTP time, its first packet's timestamp.
    elapsed_s = (reports[-1].ntp - ntp) / (1 << 32)
    elapsed = (reports[-1].rtp_timestamp - header.timestamp) & 0xFFFFFFFF
    assert 0 < elapsed_s < 3
    assert elapsed == pytest.approx(elapsed_s * 90_000, abs=90)


def test_an_interruption_at_the_origin_is_a_pause_at_the_edge(pair: Pair) -> None:
    viewer = pair.viewer()
    pair.send(rtp(1))
    before = pair.shown(viewer)[-1][0]
    pair.origin.registry.end_session(pair.publisher.session, EndReason.PEER_CLOSED, pair.origin.now)
    pair.pass_time(5)
    pair.publisher = pair.origin.connect(pair.origin.publisher(4001))
    pair.feed()
    assert pair.edge.events[-2:] == [StreamInterrupted(STREAM), StreamLive(STREAM)]
    pair.send(rtp(60_000), rtp(60_001, H264_DELTA))
    shown = pair.shown(viewer)
    assert [payload for _, payload in shown] == [H264_KEYFRAME, H264_DELTA]
    assert shown[0][0].ssrc == before.ssrc
    assert shown[0][0].sequence == before.sequence + 1


def test_viewers_who_lack_the_new_codec_are_disconnected_at_the_edge_too(pair: Pair) -> None:
    pair.viewer()
    pair.origin.registry.end_session(pair.publisher.session, EndReason.PEER_CLOSED, pair.origin.now)
    pair.publisher = pair.origin.connect(pair.origin.publisher(4001, "VP8"))
    pair.feed()
    assert pair.edge.registry.counters.sessions_ended == {"codecs_changed": 1}


def test_streams_between_the_same_workers_are_told_apart(pair: Pair) -> None:
    publisher = pair.origin.connect(pair.origin.publisher(4100, stream_id=OTHER))
    back = pair.edge.connect(pair.edge.publisher(4200, stream_id=BACK))
    pair.feed(OTHER)
    # One more goes the other way, between the same two addresses.
    keys = FeedKeys.fresh()
    feed = pair.edge.cascade.open_feed(BACK, Link(99, ORIGIN, keys), pair.edge.now)
    pair.origin.cascade.pull(BACK, OWNER, Link(99, EDGE, keys), feed, now=pair.origin.now)
    one, other = pair.viewer(), pair.edge.connect(pair.edge.viewer(5001, OTHER))
    pair.send(rtp(1))
    pair.origin.receive(publisher.rtp(rtp(1, b"\x67other")))
    pair.edge.receive(back.rtp(rtp(1)))
    pair.carry()
    assert [payload for _, payload in pair.shown(one)] == [H264_KEYFRAME]
    assert [payload for _, payload in pair.shown(other)] == [b"\x67other"]
    pair.edge.connect(pair.edge.viewer(5002))
    pair.edge.connect(pair.edge.viewer(5003, OTHER))  # wait for keyframes
    for _ in range(2):
        pair.pass_time(1.5)
    for each in (pair.publisher, publisher):
        assert pair.asked(PictureLoss, each) != []
    assert (pair.origin.dropped, pair.edge.dropped) == ({}, {})
    pair.edge.cascade.unlink(STREAM, pair.edge.now)
    pair.origin.receive(publisher.rtp(rtp(2, b"\x67again")))
    pair.carry()
    assert [payload for _, payload in pair.shown(other)] == [b"\x67again"]


def test_without_its_origin_an_edge_keeps_its_viewers_and_may_become_the_origin(
    pair: Pair,
) -> None:
    viewer = pair.viewer()
    pair.send(rtp(1))
    pair.shown(viewer)
    pair.edge.cascade.unlink(STREAM, pair.edge.now)
    pair.edge.cascade.unlink(STREAM, pair.edge.now)
    assert pair.edge.events[-1] == StreamInterrupted(STREAM)
    pair.send(rtp(2))  # no longer taken
    assert pair.shown(viewer) == []
    publisher = pair.edge.connect(pair.edge.publisher(4002))
    assert pair.edge.events[-1] == StreamLive(STREAM)
    pair.edge.receive(publisher.rtp(rtp(1)))
    assert [payload for _, payload in pair.shown(viewer)] == [H264_KEYFRAME]


def test_a_publisher_at_a_fed_worker_takes_the_feed_s_place(pair: Pair) -> None:
    publisher = pair.edge.connect(pair.edge.publisher(4002))
    assert pair.edge.events[-2:] == [StreamInterrupted(STREAM), StreamLive(STREAM)]
    stream = pair.edge.registry.streams[STREAM]
    assert (stream.feed, stream.source) == (None, publisher.session.number)
    with pytest.raises(StreamBusy):
        pair.feed()


def test_a_feed_that_does_not_come_is_noticed(pair: Pair) -> None:
    assert pair.edge.cascade.deaf(1005.0, 10.0) == ()
    assert pair.edge.cascade.deaf(1010.1, 10.0) == (STREAM,)
    assert pair.origin.cascade.deaf(1010.1, 10.0) == ()
    pair.pass_time(8.0)
    pair.send(rtp(1))
    assert pair.edge.cascade.deaf(1017.0, 10.0) == ()
    pair.edge.cascade.unlink(STREAM, pair.edge.now)
    assert pair.edge.cascade.deaf(2000.0, 10.0) == ()


def test_an_edge_without_origin_and_publisher_gives_up(pair: Pair) -> None:
    pair.viewer()
    pair.edge.registry.sweep(pair.edge.now + 5)
    assert pair.edge.registry.streams[STREAM].state is StreamState.LIVE
    pair.edge.cascade.unlink(STREAM, pair.edge.now)
    pair.edge.registry.sweep(pair.edge.now + 31)
    assert pair.edge.events[-1] == StreamEnded(STREAM, "The publisher did not come back.")


def test_a_closed_feed_is_sent_no_longer(pair: Pair) -> None:
    pair.send(rtp(1))
    pair.origin.cascade.close_feed(STREAM, pair.number)
    pair.origin.cascade.close_feed(STREAM, pair.number)
    pair.origin.receive(pair.publisher.rtp(rtp(2)))
    assert pair.origin.sink.sent == []
    assert pair.origin.registry.streams[STREAM].state is StreamState.LIVE


def test_the_end_of_a_stream_ends_its_feeds(pair: Pair) -> None:
    stage = pair.edge
    pair.viewer()
    for each in (pair.origin, pair.edge):
        stream = each.registry.streams[STREAM]
        each.registry.end_stream(stream, "over", EndReason.STREAM_ENDED)
        assert each.events[-1] == StreamEnded(STREAM, "over")
        each.receive(
            [(bytes([0x80, 96]) + bytes(30), EDGE), (bytes([0x80, 96]) + bytes(30), ORIGIN)]
        )
        assert each.dropped["rtp_of_no_publisher"] == 2
    assert stage.registry.counters.sessions_ended == {"stream_ended": 1}


def test_only_a_stream_that_is_published_here_can_be_fed(pair: Pair) -> None:
    link = Link(77, ("127.0.0.1", 7002), FeedKeys.fresh())
    with pytest.raises(StreamOffline):
        pair.edge.cascade.open_feed(STREAM, link, 1000.0)  # an edge feeds no edge
    with pytest.raises(StreamOffline):
        Stage().cascade.open_feed(STREAM, link, 1000.0)
    stage = Stage()
    stage.publisher(4000)  # only connecting
    with pytest.raises(StreamOffline):
        stage.cascade.open_feed(STREAM, link, 1000.0)


def test_who_has_not_the_keys_is_not_heard(pair: Pair) -> None:
    viewer = pair.viewer()
    forger = SrtpSender(FeedKeys.fresh().at_origin())
    ssrc = pair.feed().tracks[-1].ssrc
    forged = rtp(1)[:8] + struct.pack("!I", ssrc) + rtp(1)[12:]
    pair.edge.receive([(forger.protect(each), ORIGIN) for each in (forged, rtp(1))])
    assert pair.shown(viewer) == []
    assert pair.edge.dropped == {"rtp_refused": 1, "rtp_of_no_publisher": 1}


# ---- over sockets, on either plane ----


class LossyWay(asyncio.DatagramProtocol):
    """Stands between two workers and loses every n-th RTP datagram from the one to the other."""

    def __init__(self, every: int) -> None:
        self.every = every
        self.lost = 0
        self.ends: tuple[Address, Address] | None = None
        self._seen = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    @property
    def address(self) -> Address:
        host, port = self.transport.get_extra_info("sockname")
        return host, port

    def datagram_received(self, data: bytes, address: Address) -> None:
        assert self.ends is not None
        origin, edge = self.ends
        if address == origin and classify(data) is DatagramKind.RTP:
            self._seen += 1
            if self._seen % self.every == 0:
                self.lost += 1
                return
        self.transport.sendto(data, edge if address == origin else origin)


async def test_losses_on_the_way_to_an_edge_don_t_reach_its_viewers(
    start_worker: Callable[..., Awaitable[MediaWorker]],
    publish: Callable[[MediaWorker], Awaitable[Client]],
    watch: Callable[[MediaWorker], Awaitable[Client]],
    events: Events,
) -> None:
    loop = asyncio.get_running_loop()
    origin, edge = await start_worker(), await start_worker()
    await publish(origin)
    assert await events.next() == StreamLive(STREAM)
    way = LossyWay(every=7)
    transport, _ = await loop.create_datagram_endpoint(lambda: way, local_addr=("127.0.0.1", 0))
    way.ends = ("127.0.0.1", origin.port), ("127.0.0.1", edge.port)
    keys = FeedKeys.fresh()
    feed = origin.cascade.open_feed(STREAM, Link(1, way.address, keys), loop.time())
    edge.cascade.pull(STREAM, OWNER, Link(1, way.address, keys), feed, now=loop.time())
    viewer = await watch(edge)
    for _ in range(60):
        await viewer.frame("video")
    resent = origin.stats(STREAM)
    shown = edge.stats(STREAM)
    assert resent is not None
    assert shown is not None
    assert way.lost >= 5
    assert resent.packets_resent >= 1
    [video] = [track for track in shown.tracks if track.kind == "video"]
    # What the last moments lost may still be on its way.
    assert video.lost <= 3
    transport.close()
