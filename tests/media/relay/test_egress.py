"""One viewer: both its tracks in order, a pause, a loss."""

import pytest

from media.relay.egress import ViewerEgress, runs_of
from media.relay.packet_cache import PacketCache
from media.relay.stats import FanoutCounters
from media.relay.tracks import RelayPacket


@pytest.fixture
def viewer(stage):
    return stage.viewer()


@pytest.fixture
def counters():
    return FanoutCounters()


@pytest.fixture
def egress(viewer, counters):
    return ViewerEgress(viewer.viewer, counters)


@pytest.fixture
def caches():
    return {"video": PacketCache(64, 10_000, 1.5), "audio": PacketCache(64, 10_000, 1.5)}


def send(egress, batch):
    return egress.send(list(runs_of(batch)), 0.0)


def video(sequence, *, keyframe=False, marker=False):
    return RelayPacket("video", sequence, sequence * 3_000, marker, keyframe, b"v%d" % sequence)


def audio(sequence):
    return RelayPacket("audio", sequence, sequence * 960, False, True, b"a%d" % sequence)


def test_runs_keep_the_order_of_their_packets():
    batch = [video(0), video(1), audio(0), video(2)]
    assert list(runs_of(batch)) == [
        ("video", batch[:2]),
        ("audio", batch[2:3]),
        ("video", batch[3:]),
    ]


def test_video_begins_with_a_keyframe_and_audio_at_once(egress, viewer, counters):
    batch = [video(0), audio(0), video(1), video(2, keyframe=True), video(3)]
    assert egress.is_waiting
    packets = viewer.decrypt(send(egress, batch))
    assert [payload for _, payload in packets] == [b"a0", b"v2", b"v3"]
    assert not egress.is_waiting
    assert counters.dropped == 0


def test_sequences_have_no_gap_where_we_left_out_and_one_where_the_publisher_lost(egress, viewer):
    first = viewer.decrypt(send(egress, [video(0, keyframe=True), video(1)]))
    egress.lost(1, list(runs_of([video(1)])))
    assert send(egress, [video(2), video(3)]) == []
    later = viewer.decrypt(send(egress, [video(4, keyframe=True), video(6), video(5)]))
    sequences = [header.sequence - first[0][0].sequence for header, _ in [*first, *later]]
    assert sequences == [0, 1, 2, 4, 3]


def test_what_is_lost_and_what_follows_it_is_counted(egress, counters):
    send(egress, [video(0, keyframe=True), video(1)])
    egress.lost(2, list(runs_of([video(0, keyframe=True), video(1)])))
    send(egress, [video(2), video(3)])
    assert counters.dropped == 4


def test_lost_audio_does_not_stop_the_video(egress):
    send(egress, [video(0, keyframe=True)])
    egress.lost(1, list(runs_of([audio(0)])))
    assert not egress.is_waiting


def test_a_pause_leaves_no_gap(egress, viewer):
    before = viewer.decrypt(send(egress, [audio(0), video(0, keyframe=True)]))
    egress.pause()
    assert send(egress, [audio(1), video(1, keyframe=True)]) == []
    assert not egress.is_waiting
    egress.resume()
    assert egress.is_waiting
    after = viewer.decrypt(send(egress, [audio(2), video(2), video(3, keyframe=True)]))
    assert [payload for _, payload in after] == [b"a2", b"v3"]
    steps = [new.sequence - old.sequence for (old, _), (new, _) in zip(before, after, strict=True)]
    assert steps == [1, 1]


def test_nothing_is_sent_again_that_was_never_promised(egress, viewer, caches):
    caches["video"].add(video(0), 0.0)
    first = viewer.video_ssrc & 0x7FFF
    assert egress.send_again(viewer.video_ssrc, [first], caches, 0.0) == []
    caches["video"].add(video(1), 0.0)
    send(egress, [video(1, keyframe=True)])
    assert len(egress.send_again(viewer.video_ssrc, [first], caches, 0.0)) == 1
    assert egress.send_again(viewer.video_ssrc, [first - 1, first + 1, 0], caches, 0.0) == []
    assert egress.send_again(12345, [first], caches, 0.0) == []


def test_what_was_sent_is_told_by_track(egress, viewer):
    assert egress.sent() == []
    send(egress, [audio(0), audio(1)])
    (track,) = egress.sent()
    assert track == ("audio", viewer.audio_ssrc, viewer.audio_ssrc, 2, 4)
