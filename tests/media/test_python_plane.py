"""The plane by itself: scripted peers with agreed keys, no handshake, no socket."""

import struct
from collections.abc import Sequence
from dataclasses import replace

import pytest

from config.media import MediaSettings
from media.plane import ControlDatagram, PeerPacket
from media.python_plane import PythonPlane
from media.relay.tracks import TrackSpec, Viewer, ViewerTrack
from media.session import Role
from media.transport.demux import DatagramKind
from media.transport.srtp import SrtpKeys, SrtpProfile, SrtpReceiver, SrtpSender
from tests.support.media_stage import MediaSink
from tests.support.scripted_peer import Wire

PROFILE = SrtpProfile.AEAD_AES_128_GCM
HOME, AWAY = ("192.0.2.1", 1000), ("192.0.2.2", 2000)
VIDEO = TrackSpec("video", "vp8", 96, 0xB0, None, None, 90_000, "0")
KEY = b"\x10\x00key"


def keys(seed: int) -> SrtpKeys:
    return SrtpKeys(PROFILE, bytes([seed] * 28), bytes([seed + 1] * 28))


def theirs(ours: SrtpKeys) -> SrtpKeys:
    return SrtpKeys(ours.profile, ours.remote, ours.local)


def rtp(sequence: int, ssrc: int = 0xB0) -> bytes:
    return struct.pack("!BBHII", 0x80, 96, sequence, 0, ssrc) + KEY


class Listener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.control: list[ControlDatagram] = []
        self.rtcp: list[PeerPacket] = []
        self.attention: list[set[int]] = []

    def on_control(self, datagrams: Sequence[ControlDatagram], now: float) -> None:
        self.control += datagrams

    def on_rtcp(self, packets: Sequence[PeerPacket], now: float) -> None:
        self.rtcp += packets

    def on_attention(self, streams: set[int], now: float) -> None:
        self.attention.append(streams)


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def sink() -> MediaSink:
    return MediaSink()


@pytest.fixture
def plane(wire: Wire, sink: MediaSink) -> PythonPlane:
    return PythonPlane(MediaSettings(), wire, sink)


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def publisher(plane: PythonPlane) -> SrtpSender:
    """The publisher of stream 5, at HOME."""
    plane.add_peer(1, Role.PUBLISHER, keys(1), [HOME])
    plane.stream(5).set_publisher(1, [VIDEO], 0.0)
    return SrtpSender(theirs(keys(1)))


def test_control_goes_up_as_it_came_and_garbage_is_counted(
    plane: PythonPlane, listener: Listener
) -> None:
    stun, dtls = b"\0\1" + bytes(18), b"\x16\xfe\xfd"
    plane.receive([(stun, HOME), (b"\xff\xff", HOME), (dtls, AWAY)], listener, 1.0)
    assert listener.control == [
        (DatagramKind.STUN, stun, HOME),
        (DatagramKind.DTLS, dtls, AWAY),
    ]
    counts = plane.counts()
    assert counts.datagrams == {"stun": 1, "dtls": 1, "other": 1}
    assert counts.dropped == {"unknown_protocol": 1}


def test_media_is_forwarded_and_its_stream_asks_for_attention(
    plane: PythonPlane, listener: Listener, publisher: SrtpSender, sink: MediaSink
) -> None:
    plane.add_peer(2, Role.VIEWER, keys(9), [AWAY])
    stream = plane._streams[5]
    stream.add_viewer(Viewer(2, (ViewerTrack("video", 120, 7),), keys(9), AWAY), 0.0)
    batch = [(publisher.protect(rtp(n)), HOME) for n in (1, 2)]
    plane.receive(batch, listener, 3.0)
    assert listener.attention == [{5}]
    assert (plane.heard_at(1), plane.heard_at(2), plane.heard_at(99)) == (
        3.0,
        -float("inf"),
        -float("inf"),
    )
    receiver = SrtpReceiver(theirs(keys(9)))
    assert [address for _, address in sink.sent] == [AWAY, AWAY]
    assert all(receiver.unprotect(datagram) is not None for datagram, _ in sink.sent)


def test_packets_of_strangers_viewers_and_forgers_are_dropped_by_reason(
    plane: PythonPlane, listener: Listener, publisher: SrtpSender
) -> None:
    plane.add_peer(2, Role.VIEWER, keys(9), [AWAY])
    good = publisher.protect(rtp(1))
    rtcp = publisher.protect_rtcp(struct.pack("!BBHI", 0x80, 201, 1, 7))
    batch = [
        (good, ("203.0.113.9", 9)),
        (SrtpSender(theirs(keys(9))).protect(rtp(1)), AWAY),
        (good[:-1] + bytes([good[-1] ^ 1]), HOME),
        (good, HOME),
        (good, HOME),
        (rtcp, AWAY),
        (rtcp, ("203.0.113.9", 9)),
        (rtcp, HOME),
    ]
    plane.receive(batch, listener, 1.0)
    assert plane.counts().dropped == {
        "rtp_of_no_publisher": 2,
        "rtp_refused": 2,
        "rtcp_refused": 1,
        "rtcp_of_no_session": 1,
    }
    assert [packet.peer for packet in listener.rtcp] == [1]


def test_rtcp_goes_to_where_the_peer_is_selected(plane: PythonPlane, wire: Wire) -> None:
    plane.add_peer(2, Role.VIEWER, keys(9), [HOME, AWAY])
    report = struct.pack("!BBHI", 0x80, 201, 1, 7)
    plane.send_rtcp(2, report)
    plane.select(2, HOME)
    plane.send_rtcp(2, report)
    plane.send_rtcp(99, report)
    receiver = SrtpReceiver(theirs(keys(9)))
    for address in (AWAY, HOME):
        (datagram,) = wire.take(address, DatagramKind.RTCP)
        assert receiver.unprotect_rtcp(datagram) == report


def test_addresses_come_and_go(
    plane: PythonPlane, listener: Listener, publisher: SrtpSender
) -> None:
    plane.bind(1, AWAY)
    plane.unbind(1, HOME)
    plane.unbind(1, HOME)
    plane.bind(99, HOME)
    plane.receive([(publisher.protect(rtp(1)), HOME)], listener, 1.0)
    plane.receive([(publisher.protect(rtp(2)), AWAY)], listener, 1.0)
    assert plane.counts().dropped == {"rtp_of_no_publisher": 1}
    assert plane.heard_at(1) == 1.0


def test_an_address_belongs_to_the_last_that_proved_it(plane: PythonPlane) -> None:
    plane.add_peer(1, Role.VIEWER, keys(1), [HOME])
    plane.add_peer(2, Role.VIEWER, keys(9), [AWAY])
    plane.bind(2, HOME)
    plane.remove_peer(1)
    plane.remove_peer(1)
    assert plane._by_place[HOME, 0].number == 2


def test_who_shares_an_address_is_told_by_the_source(
    plane: PythonPlane, listener: Listener, publisher: SrtpSender
) -> None:
    for number, ssrc in ((2, 0xB2), (3, 0xB3)):
        plane.add_peer(number, Role.PUBLISHER, keys(number), [AWAY], [ssrc, ssrc + 16])
        plane.stream(number).set_publisher(number, [replace(VIDEO, ssrc=ssrc)], 0.0)
    two, three = (SrtpSender(theirs(keys(number))) for number in (2, 3))
    plane.receive([(two.protect(rtp(1, 0xB2)), AWAY)], listener, 1.0)
    plane.receive([(three.protect(rtp(1, 0xB3)), AWAY)], listener, 2.0)
    plane.receive([(three.protect(rtp(2, 0xB9)), AWAY)], listener, 3.0)
    plane.receive([(two.protect(rtp(1, 0xB2)), HOME)], listener, 3.0)
    assert (plane.heard_at(2), plane.heard_at(3)) == (1.0, 2.0)
    assert plane.counts().dropped == {"rtp_of_no_publisher": 1, "rtp_refused": 1}
    report = two.protect_rtcp(struct.pack("!BBHI", 0x80, 201, 1, 0xC2))
    plane.receive([(report, AWAY)], listener, 4.0)
    assert [packet.peer for packet in listener.rtcp] == [2]
    plane.remove_peer(2)
    plane.receive([(three.protect(rtp(3, 0xC3)), AWAY)], listener, 5.0)
    assert plane.heard_at(3) == 5.0


def test_a_viewer_that_is_removed_is_sent_nothing(
    plane: PythonPlane, listener: Listener, publisher: SrtpSender, sink: MediaSink
) -> None:
    plane.add_peer(2, Role.VIEWER, keys(9), [AWAY])
    plane._streams[5].add_viewer(Viewer(2, (ViewerTrack("video", 120, 7),), keys(9), AWAY), 0.0)
    plane.remove_peer(2)
    plane.receive([(publisher.protect(rtp(1)), HOME)], listener, 1.0)
    assert sink.sent == []


def test_what_is_taken_twice_or_has_no_address_is_a_bug(plane: PythonPlane) -> None:
    plane.add_peer(1, Role.VIEWER, keys(1), [HOME])
    with pytest.raises(ValueError, match="number of its own"):
        plane.add_peer(1, Role.VIEWER, keys(1), [AWAY])
    with pytest.raises(ValueError, match="an address"):
        plane.add_peer(2, Role.VIEWER, keys(1), [])
    stream = plane.stream(5)
    with pytest.raises(ValueError, match="there already"):
        plane.stream(5)
    stream.close()
    assert plane.stream(5) is not stream


def test_a_full_socket_is_counted(plane: PythonPlane, wire: Wire) -> None:
    wire.is_full = True
    assert not plane.send(b"x", HOME)
    assert plane.counts().unsent == 1


def test_how_long_packets_take_is_not_measured(plane: PythonPlane) -> None:
    assert plane.relay_times().histogram() is None
