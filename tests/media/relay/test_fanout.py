"""Many viewers: each gets what it can decode, none gets a number twice for different packets."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.relay.fanout import MAX_BATCH
from media.relay.tracks import RelayPacket
from media.transport.srtp import SrtpProfile


def video(sequence, *, keyframe=False, payload=None):
    data = payload if payload is not None else b"v%d" % sequence
    return RelayPacket("video", sequence, sequence * 3_000, False, keyframe, data)


def test_a_long_batch_goes_in_strides(stage):
    viewer = stage.viewer()
    packets = [video(n, keyframe=n == 0) for n in range(MAX_BATCH + 10)]
    stage.sink.room = MAX_BATCH - 1
    stage.fanout.send(packets, 0.0)
    # The first stride lacked room for one; the second had no keyframe to go on with.
    assert len(stage.take(viewer)) == MAX_BATCH - 1
    assert stage.fanout.counters.dropped == 11
    stage.sink.room = 100
    first = viewer.video_ssrc & 0x7FFF
    stage.fanout.resend(viewer.number, viewer.video_ssrc, range(first, first + MAX_BATCH), 0.0)
    assert stage.fanout.counters.resent == MAX_BATCH


@pytest.mark.parametrize("profile", list(SrtpProfile), ids=lambda profile: profile.name)
def test_every_profile_is_decrypted_by_libsrtp(stage, profile):
    viewers = [stage.viewer(profile=profile) for _ in range(3)]
    stage.fanout.send([video(n, keyframe=n == 0) for n in range(4)], 0.0)
    for viewer in viewers:
        assert [payload for _, payload in stage.take(viewer)] == [b"v0", b"v1", b"v2", b"v3"]
    assert stage.fanout.counters.forwarded == 12


def test_viewers_join_at_keyframes(stage):
    early = stage.viewer()
    stage.fanout.send([video(0, keyframe=True)], 0.0)
    late = stage.viewer()
    assert stage.fanout.waiting == 1
    stage.fanout.send([video(1)], 0.0)
    assert stage.take(late) == []
    stage.fanout.send([video(2, keyframe=True)], 0.0)
    assert stage.fanout.waiting == 0
    assert len(stage.take(early)) == 3
    assert [payload for _, payload in stage.take(late)] == [b"v2"]


def test_what_the_socket_refuses_is_dropped_up_to_the_next_keyframe(stage):
    viewer = stage.viewer()
    stage.fanout.send([video(0, keyframe=True)], 0.0)
    stage.sink.room = 1
    stage.fanout.send([video(1), video(2)], 0.0)
    assert (stage.fanout.counters.dropped, stage.fanout.waiting) == (1, 1)
    stage.sink.room = 100
    stage.fanout.send([video(3)], 0.0)
    stage.fanout.send([video(4, keyframe=True)], 0.0)
    packets = stage.take(viewer)
    assert [payload for _, payload in packets] == [b"v0", b"v1", b"v4"]
    assert packets[2][0].sequence - packets[1][0].sequence == 2  # v2 keeps its number
    missing = packets[1][0].sequence + 1
    stage.fanout.resend(viewer.number, viewer.video_ssrc, [missing], 0.0)
    assert [payload for _, payload in stage.take(viewer)] == [b"v2"]
    assert stage.fanout.counters.dropped == 2


def test_one_full_moment_hurts_only_who_had_it(stage):
    first, second = stage.viewer(), stage.viewer()
    stage.fanout.send([video(0, keyframe=True)], 0.0)
    stage.sink.room = 1
    stage.fanout.send([video(1)], 0.0)
    stage.sink.room = 100
    stage.fanout.send([video(2)], 0.0)
    assert len(stage.take(first)) == 3
    assert len(stage.take(second)) == 1


def test_repetitions_go_nowhere(stage):
    viewer = stage.viewer()
    stage.fanout.send([video(0, keyframe=True)], 0.0)
    stage.fanout.send([video(0, keyframe=True, payload=b"something else")], 0.0)
    assert [payload for _, payload in stage.take(viewer)] == [b"v0"]


def test_resent_packets_are_the_identical_datagrams(stage):
    viewer = stage.viewer()
    stage.fanout.send([video(n, keyframe=n == 0) for n in range(3)], 0.0)
    datagrams = [datagram for datagram, _ in stage.sink.sent]
    numbers = [header.sequence for header, _ in stage.take(viewer)]
    stage.fanout.resend(viewer.number, viewer.video_ssrc, numbers[::-1], 0.0)
    assert [datagram for datagram, _ in stage.sink.sent] == datagrams[::-1]
    assert stage.fanout.counters.resent == 3


def test_addresses_move_and_viewers_leave(stage):
    viewer = stage.viewer()
    stage.fanout.set_address(viewer.number, ("127.0.0.1", 9))
    stage.fanout.send([video(0, keyframe=True)], 0.0)
    assert [address for _, address in stage.sink.sent] == [("127.0.0.1", 9)]
    stage.fanout.remove_viewer(viewer.number)
    stage.fanout.send([video(1)], 0.0)
    assert len(stage.sink.sent) == 1


def test_pause_and_resume(stage):
    viewer = stage.viewer()
    stage.fanout.pause(viewer.number)
    assert stage.fanout.waiting == 0
    stage.fanout.send([video(0, keyframe=True)], 0.0)
    stage.fanout.resume(viewer.number)
    assert stage.fanout.waiting == 1
    stage.fanout.send([video(1), video(2, keyframe=True)], 0.0)
    assert [payload for _, payload in stage.take(viewer)] == [b"v2"]


def test_ids_are_taken_once_and_unknown_ones_are_nobody(stage):
    viewer = stage.viewer()
    with pytest.raises(ValueError, match="served already"):
        stage.fanout.add_viewer(viewer.viewer)
    stage.fanout.remove_viewer(99)
    stage.fanout.set_address(99, ("h", 1))
    stage.fanout.pause(99)
    stage.fanout.resume(99)
    stage.fanout.resend(99, 1, [1], 0.0)
    assert stage.fanout.sent(99) == ()


arrivals = st.lists(
    st.tuples(st.integers(-4, 6), st.booleans(), st.integers(0, 3), st.integers(-5, 5)),
    max_size=60,
)


@given(st.integers(0, 40), arrivals)
def test_no_number_ever_carries_two_packets(new_stage, head_start, arrivals):
    stage, at = new_stage(cache_max_packets=16), head_start
    viewer = stage.viewer()
    first = viewer.video_ssrc & 0x7FFF
    carried = defaultdict(set)
    for step, keyframe, room, nack in arrivals:
        at = max(at + step, 0)
        stage.sink.room = room
        stage.fanout.send([video(at, keyframe=keyframe, payload=b"%d" % step)], 0.0)
        stage.fanout.resend(viewer.number, viewer.video_ssrc, [(first + nack) & 0xFFFF], 0.0)
        for datagram, _ in stage.sink.sent:
            carried[datagram[2:4]].add(datagram)
    assert all(len(datagrams) == 1 for datagrams in carried.values())
