"""What follows when sessions connect and end, told by scripted peers and a clock of the test's."""

import struct
from uuid import UUID

import pytest

from media.errors import UnknownSession
from media.events import StreamEnded, StreamInterrupted, StreamLive, ViewersChanged
from media.live import StreamState
from media.session import EndReason, Role, SessionState
from media.transport.demux import DatagramKind
from tests.support.media_stage import STREAM, Stage


def rtp(sequence: int, payload: bytes) -> bytes:
    return struct.pack("!BBHII", 0x80, 96, sequence, 0, 1412367219) + payload


@pytest.fixture
def stage() -> Stage:
    return Stage(handshake_timeout_s=10, consent_timeout_s=10, reconnect_window_s=30)


def test_a_stream_is_live_when_its_publisher_is_connected(stage: Stage) -> None:
    publisher = stage.publisher(4000)
    assert (stage.events, stage.registry.pending) == ([], 1)
    stage.connect(publisher)
    assert (stage.events, stage.registry.pending) == ([StreamLive(STREAM)], 0)
    stream = stage.registry.streams[STREAM]
    assert (stream.state, stream.live_at) == (StreamState.LIVE, 1000.0)
    assert [track.codec.name for track in stream.published] == ["opus", "h264"]


def test_viewers_are_counted_while_connected(stage: Stage) -> None:
    stage.connect(stage.publisher(4000))
    first, second = stage.viewer(5000), stage.viewer(5001)
    assert stage.registry.viewers == 2
    stage.connect(first)
    stage.connect(second)
    stage.registry.end_session(first.session, EndReason.DELETED, stage.now)
    assert stage.events[1:] == [ViewersChanged(STREAM, n) for n in (1, 2, 1)]
    assert (stage.registry.viewers, stage.registry.pending) == (1, 0)


def test_a_viewer_that_never_connects_is_nobodys_news(stage: Stage) -> None:
    stage.connect(stage.publisher(4000))
    stage.viewer(5000)
    stage.registry.sweep(1009.0)
    assert stage.registry.viewers == 1
    stage.registry.sweep(1010.1)
    assert (stage.registry.viewers, stage.registry.pending) == (0, 0)
    assert stage.registry.counters.sessions_ended["handshake_timeout"] == 1
    assert ViewersChanged(STREAM, 0) not in stage.events


def test_a_silent_publisher_interrupts_the_stream_and_its_viewers_stay(stage: Stage) -> None:
    stage.connect(stage.publisher(4000))
    viewer = stage.connect(stage.viewer(5000))
    viewer.session.heard_at = 1040.0
    stage.registry.sweep(1010.1)
    assert stage.events[-1] == StreamInterrupted(STREAM)
    stage.registry.sweep(1040.0)
    assert stage.registry.find(Role.VIEWER, STREAM, viewer.session.session_id) is viewer.session
    stage.registry.sweep(1040.2)
    assert stage.events[-1] == StreamEnded(STREAM, "The publisher did not come back.")
    assert stage.registry.streams == {}
    assert (stage.registry.viewers, stage.registry.pending) == (0, 0)
    assert len(stage.wire.take(viewer.address, DatagramKind.DTLS)) == 1  # its goodbye


def test_a_publisher_that_says_goodbye_may_come_back(stage: Stage) -> None:
    publisher = stage.connect(stage.publisher(4000))
    viewer = stage.connect(stage.viewer(5000))
    for datagram in publisher.dtls.close():
        stage.receive([(datagram, publisher.address)])
    stage.registry.sweep(1001.0)
    assert stage.registry.counters.sessions_ended == {"peer_closed": 1}
    stage.now = 1025.0
    returning = stage.publisher(4001)
    viewer.session.heard_at = 1032.0
    stage.registry.sweep(1032.0)  # the window is over, but the publisher is at the door
    stage.connect(returning)
    assert stage.events[-2:] == [StreamInterrupted(STREAM), StreamLive(STREAM)]
    assert viewer.session.state is SessionState.CONNECTED
    assert stage.registry.streams[STREAM].live_at == 1000.0


def test_a_publisher_that_comes_back_in_vain_leaves_the_window_as_it_was(stage: Stage) -> None:
    publisher = stage.connect(stage.publisher(4000))
    stage.registry.end_session(publisher.session, EndReason.CONSENT_LOST, 1000.0)
    stage.now = 1015.0
    stage.publisher(4001)
    stage.registry.sweep(1025.1)
    assert stage.registry.streams[STREAM].state is StreamState.INTERRUPTED
    stage.registry.sweep(1030.1)
    assert stage.registry.streams == {}


def test_viewers_of_another_codec_are_sent_away(stage: Stage) -> None:
    publisher = stage.connect(stage.publisher(4000))
    viewer = stage.connect(stage.viewer(5000))
    stage.registry.end_session(publisher.session, EndReason.CONSENT_LOST, 1000.0)
    stage.connect(stage.publisher(4001, codec="VP8"))
    assert stage.events[-2:] == [ViewersChanged(STREAM, 0), StreamLive(STREAM)]
    assert viewer.session.state is SessionState.CLOSED
    assert stage.registry.counters.sessions_ended["codecs_changed"] == 1


def test_a_replaced_publisher_interrupts_until_the_new_one_is_connected(stage: Stage) -> None:
    former = stage.connect(stage.publisher(4000))
    stage.registry.end_session(former.session, EndReason.REPLACED, stage.now)
    stage.connect(stage.publisher(4001))
    assert stage.events == [StreamLive(STREAM), StreamInterrupted(STREAM), StreamLive(STREAM)]


def test_a_first_publisher_may_be_replaced_before_it_connects(stage: Stage) -> None:
    former = stage.publisher(4000)
    stage.registry.end_session(former.session, EndReason.REPLACED, stage.now)
    stage.connect(stage.publisher(4001))
    assert stage.events == [StreamLive(STREAM)]


def test_a_publisher_that_never_connects_leaves_no_stream(stage: Stage) -> None:
    stage.publisher(4000)
    stage.registry.sweep(1010.1)
    assert (stage.registry.streams, stage.events) == ({}, [])


def test_a_stopped_stream_ends_all_of_its_sessions(stage: Stage) -> None:
    stage.connect(stage.publisher(4000))
    stage.connect(stage.viewer(5000))
    stage.viewer(5001)
    stream = stage.registry.streams[STREAM]
    stage.registry.end_stream(stream, "against the rules", EndReason.DELETED)
    assert stage.events[-1] == StreamEnded(STREAM, "against the rules")
    assert stage.registry.counters.sessions_ended == {"deleted": 1, "stream_ended": 2}
    assert (stage.registry.viewers, stage.registry.pending, stage.registry.streams) == (0, 0, {})


def test_a_stream_that_was_never_live_ends_in_silence(stage: Stage) -> None:
    stage.publisher(4000)
    stage.registry.end_stream(stage.registry.streams[STREAM], "stop", EndReason.DELETED)
    assert stage.events == []


def test_sessions_are_found_by_stream_and_role(stage: Stage) -> None:
    session = stage.publisher(4000).session
    assert stage.registry.find(Role.PUBLISHER, STREAM, session.session_id) is session
    for role, stream_id, session_id in (
        (Role.VIEWER, STREAM, session.session_id),
        (Role.PUBLISHER, UUID(int=6), session.session_id),
        (Role.PUBLISHER, STREAM, "guess"),
    ):
        with pytest.raises(UnknownSession):
            stage.registry.find(role, stream_id, session_id)


def test_a_publisher_that_overdoes_it_for_long_is_disconnected_and_told_why() -> None:
    stage = Stage(max_publisher_bitrate_bps=100_000, overrun_timeout_s=5)
    publisher = stage.connect(stage.publisher(4000))
    for half_seconds in range(20):
        stage.now = 1000.0 + half_seconds / 2
        first = half_seconds * 10
        packets = [rtp(n, b"x" * 1200) for n in range(first, first + 10)]
        stage.receive(publisher.rtp(*packets))
        stage.registry.sweep(stage.now)
        if STREAM not in stage.registry.streams:
            break
    assert stage.now == 1005.5  # the first half second still had its allowance
    assert stage.events[-1] == StreamEnded(
        STREAM, "The encoder sent more than 0.1 Mbit/s. Lower its bit rate and start again.", 60.0
    )
    assert stage.registry.holds.left_s(STREAM, stage.now) == 60.0
    assert stage.registry.counters.sessions_ended == {"too_fast": 1}
    assert stage.registry.counters.ended_streams.packets_over_bitrate > 50


def test_a_publisher_that_overdoes_it_for_a_moment_stays() -> None:
    stage = Stage(max_publisher_bitrate_bps=100_000)
    publisher = stage.connect(stage.publisher(4000))
    stage.receive(publisher.rtp(*(rtp(n, b"x" * 1200) for n in range(30))))
    for second in range(8):
        stage.registry.sweep(1000.0 + second)
    stream = stage.registry.streams[STREAM]
    assert stream.relay.over_bitrate > 0
    assert stream.state is StreamState.LIVE
