"""Datagrams of scripted peers, without a socket."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.session import SessionState
from media.transport.demux import DatagramKind
from media.transport.srtp import SrtpSender
from tests.support.media_stage import STREAM, Stage
from tests.support.scripted_peer import ScriptedPeer

H264_KEYFRAME = b"\x67parameters"
PICTURE_LOSS = struct.pack("!BBHII", 0x81, 206, 2, 1, 0)


def rtp(sequence: int, payload: bytes = H264_KEYFRAME) -> bytes:
    return struct.pack("!BBHII", 0x80, 0x80 | 96, sequence, 0, 1412367219) + payload


def receiver_report() -> bytes:
    return struct.pack("!BBHI", 0x80, 201, 1, 7)


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def publisher(stage: Stage) -> ScriptedPeer:
    return stage.connect(stage.publisher(4000))


@pytest.fixture
def viewer(stage: Stage, publisher: ScriptedPeer) -> ScriptedPeer:
    return stage.connect(stage.viewer(5000))


def test_packets_go_from_the_publisher_to_the_viewer(
    stage: Stage, publisher: ScriptedPeer, viewer: ScriptedPeer
) -> None:
    stage.receive(publisher.rtp(rtp(1), rtp(2)))
    assert [address for _, address in stage.sink.sent] == [viewer.address] * 2
    assert viewer.srtp_in is not None
    received = viewer.srtp_in.unprotect(stage.sink.sent[0][0])
    assert received is not None
    assert received.endswith(H264_KEYFRAME)
    assert int.from_bytes(received[8:12], "big") in {track.ssrc for track in viewer.session.sent}
    assert stage.dropped == {}


def test_the_publisher_is_asked_for_a_keyframe(
    stage: Stage, publisher: ScriptedPeer, viewer: ScriptedPeer
) -> None:
    stage.receive(publisher.rtp(rtp(1, b"\x41delta")))
    stage.traffic.poll(stage.registry.streams.values(), stage.now + 2)
    assert publisher.srtp_in is not None
    feedback = [
        publisher.srtp_in.unprotect_rtcp(packet)
        for packet in stage.wire.take(publisher.address, DatagramKind.RTCP)
    ]
    assert any(packet is not None and b"\x81\xce" in packet for packet in feedback)


def test_whoever_sends_something_authentic_is_alive(
    stage: Stage, publisher: ScriptedPeer, viewer: ScriptedPeer
) -> None:
    stage.receive(publisher.rtp(rtp(1)), 1001.0)
    assert stage.traffic.heard_at(publisher.session) == 1001.0
    stage.receive(viewer.rtcp(receiver_report()), 1002.0)
    assert stage.traffic.heard_at(viewer.session) == 1002.0
    stage.receive([(viewer.check(), viewer.address)], 1003.0)
    assert stage.traffic.heard_at(viewer.session) == 1003.0


def forged(packet: bytes) -> bytes:
    """Another last byte, which is of the authentication tag or beside it."""
    return packet[:-1] + bytes([packet[-1] ^ 1])


def test_what_is_not_authentic_keeps_nobody_alive(
    stage: Stage, publisher: ScriptedPeer, viewer: ScriptedPeer
) -> None:
    packet, address = publisher.rtp(rtp(1))[0]
    report = viewer.rtcp(receiver_report())[0][0]
    stage.receive(
        [
            (forged(packet), address),
            (bytes(1) * 40, address),
            (b"\x80\x60" + bytes(1498), address),
            (b"\x80\x60" + bytes(3000), address),
            (forged(report), viewer.address),
            (packet, viewer.address),
            (b"\x16\xfe\xfd" + bytes(40), viewer.address),
        ],
        1009.0,
    )
    assert publisher.session.heard_at == stage.traffic.heard_at(viewer.session) == 1000.0
    assert stage.sink.sent == []
    assert stage.dropped == {
        "stun_not_a_request": 1,
        "rtp_refused": 3,
        "rtcp_refused": 1,
        "rtp_of_no_publisher": 1,
    }


def test_strangers_are_dropped_and_counted(stage: Stage, publisher: ScriptedPeer) -> None:
    stranger = ("192.0.2.66", 6)
    stage.receive(
        [
            (publisher.rtp(rtp(1))[0][0], stranger),
            (receiver_report(), stranger),
            (b"\x16\xfe\xfd" + bytes(40), stranger),
            (b"\xff" * 10, stranger),
            (b"", stranger),
            (b"\x00\x01" + bytes(18), stranger),
        ],
        stage.now,
    )
    assert stage.dropped == {
        "rtp_of_no_publisher": 1,
        "rtcp_of_no_session": 1,
        "dtls_of_no_session": 1,
        "unknown_protocol": 2,
        "stun_not_a_request": 1,
    }
    assert all(stage.wire.take(stranger, kind) == [] for kind in DatagramKind)


def test_a_forged_check_is_answered_with_an_error_and_binds_nothing(stage: Stage) -> None:
    publisher = stage.publisher(4000)
    damaged = bytearray(publisher.check())
    damaged[-20] ^= 1  # within MESSAGE-INTEGRITY; FINGERPRINT no longer fits either
    stage.receive([(bytes(damaged), publisher.address)])
    assert publisher.session.state is SessionState.NEW
    assert stage.dropped == {"stun_malformed": 1}


def test_media_before_the_handshake_is_dropped(stage: Stage) -> None:
    publisher = stage.publisher(4000)
    stage.receive([(publisher.check(), publisher.address)])
    stage.receive([(b"\x80\x60" + bytes(40), publisher.address)])
    stage.receive([(receiver_report(), publisher.address)])
    assert stage.dropped == {"rtp_of_no_publisher": 1, "rtcp_of_no_session": 1}


def test_a_viewer_that_moves_is_followed_once_its_new_address_is_checked(
    stage: Stage, publisher: ScriptedPeer, viewer: ScriptedPeer
) -> None:
    moved = ("127.0.0.1", 5001)
    stage.receive([(viewer.rtcp(receiver_report())[0][0], moved)])
    stage.receive(publisher.rtp(rtp(1)))
    assert stage.sink.sent.pop()[1] == viewer.address
    stage.receive([(viewer.check(), moved)])
    stage.receive(publisher.rtp(rtp(2)))
    assert stage.sink.sent.pop()[1] == moved


def test_a_removed_session_hears_goodbye_and_is_forgotten(
    stage: Stage, publisher: ScriptedPeer, viewer: ScriptedPeer
) -> None:
    stage.traffic.remove(viewer.session)
    (goodbye,) = stage.wire.take(viewer.address, DatagramKind.DTLS)
    viewer.dtls.receive(goodbye)
    assert viewer.dtls.state == "closed"
    stage.receive([(viewer.check(), viewer.address)])
    assert stage.dropped == {"stun_revoked": 1}


def test_a_full_socket_is_counted(stage: Stage) -> None:
    publisher = stage.publisher(4000)
    stage.wire.is_full = True
    stage.receive([(publisher.check(), publisher.address)])
    assert stage.plane.counts().unsent == 1
    assert publisher.session.state is SessionState.CONNECTING


def test_another_peers_keys_open_nothing(
    stage: Stage, publisher: ScriptedPeer, viewer: ScriptedPeer
) -> None:
    assert viewer.dtls.keys is not None
    forged = SrtpSender(viewer.dtls.keys).protect(rtp(1))
    stage.receive([(forged, publisher.address)])
    assert stage.dropped == {"rtp_refused": 1}


STAGE = Stage()
CONNECTED = STAGE.connect(STAGE.publisher(4000))


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_noise_at_a_bound_address_changes_nothing(datagrams: list[bytes]) -> None:
    STAGE.receive([(datagram, CONNECTED.address) for datagram in datagrams])
    assert CONNECTED.session.state is SessionState.CONNECTED
    assert STAGE.registry.streams[STREAM].is_watchable
