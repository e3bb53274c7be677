"""One viewer: its own header, its own numbers, and nothing it can't decode."""

import pytest

from media.relay.egress import ViewerEgress
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
    return {"video": PacketCache(64, 10_000), "audio": PacketCache(64, 10_000)}


def video(sequence, *, keyframe=False, marker=False):
    return RelayPacket("video", sequence, sequence * 3_000, marker, keyframe, b"v%d" % sequence)


def audio(sequence):
    return RelayPacket("audio", sequence, sequence * 960, False, True, b"a%d" % sequence)


def test_headers_are_the_viewers_own(egress, viewer):
    ((header, payload),) = viewer.decrypt(egress.protect([video(0, keyframe=True, marker=True)]))
    assert (header.payload_type, header.ssrc) == (120, viewer.video_ssrc)
    assert (header.marker, payload) == (True, b"v0")
    assert header.sequence == viewer.video_ssrc & 0x7FFF
    assert header.timestamp == viewer.video_ssrc


def test_video_begins_with_a_keyframe_and_audio_at_once(egress, viewer, counters):
    batch = [video(0), audio(0), video(1), video(2, keyframe=True), video(3)]
    assert egress.is_waiting
    packets = viewer.decrypt(egress.protect(batch))
    assert [payload for _, payload in packets] == [b"a0", b"v2", b"v3"]
    assert not egress.is_waiting
    assert counters.dropped == 0


def test_sequences_have_no_gap_where_we_left_out_and_one_where_the_publisher_lost(egress, viewer):
    first = viewer.decrypt(egress.protect([video(0, keyframe=True), video(1)]))
    egress.lost(1, [video(1)])
    assert egress.protect([video(2), video(3)]) == []
    later = viewer.decrypt(egress.protect([video(4, keyframe=True), video(6), video(5)]))
    sequences = [header.sequence - first[0][0].sequence for header, _ in [*first, *later]]
    assert sequences == [0, 1, 2, 4, 3]


def test_timestamps_wrap(egress, viewer):
    packet = RelayPacket("audio", 0, 2**32 - 1, False, True, b"x")
    ((header, _),) = viewer.decrypt(egress.protect([packet]))
    assert header.timestamp == viewer.audio_ssrc - 1


def test_what_is_lost_and_what_follows_it_is_counted(egress, counters):
    egress.protect([video(0, keyframe=True), video(1)])
    egress.lost(2, [video(0, keyframe=True), video(1)])
    egress.protect([video(2), video(3)])
    assert counters.dropped == 4


def test_lost_audio_does_not_stop_the_video(egress):
    egress.protect([video(0, keyframe=True)])
    egress.lost(1, [audio(0)])
    assert not egress.is_waiting


def test_a_pause_leaves_no_gap(egress, viewer):
    before = viewer.decrypt(egress.protect([audio(0), video(0, keyframe=True)]))
    egress.pause()
    assert egress.protect([audio(1), video(1, keyframe=True)]) == []
    assert not egress.is_waiting
    egress.resume()
    assert egress.is_waiting
    after = viewer.decrypt(egress.protect([audio(2), video(2), video(3, keyframe=True)]))
    assert [payload for _, payload in after] == [b"a2", b"v3"]
    steps = [new.sequence - old.sequence for (old, _), (new, _) in zip(before, after, strict=True)]
    assert steps == [1, 1]


def test_what_is_asked_for_again_is_the_same_bytes(egress, viewer, caches):
    batch = [video(n, keyframe=n == 0) for n in range(5)]
    for packet in batch:
        caches["video"].add(packet)
    datagrams = egress.protect(batch)
    numbers = [header.sequence for header, _ in viewer.decrypt(datagrams)]
    again = egress.protect_again(viewer.video_ssrc, [numbers[3], numbers[1]], caches)
    assert again == [datagrams[3], datagrams[1]]


def test_nothing_is_sent_again_that_was_never_promised(egress, viewer, caches):
    caches["video"].add(video(0))
    first = viewer.video_ssrc & 0x7FFF
    assert egress.protect_again(viewer.video_ssrc, [first], caches) == []
    caches["video"].add(video(1))
    egress.protect([video(1, keyframe=True)])
    assert len(egress.protect_again(viewer.video_ssrc, [first], caches)) == 1
    assert egress.protect_again(viewer.video_ssrc, [first - 1, first + 1, 0], caches) == []
    assert egress.protect_again(12345, [first], caches) == []


def test_what_was_sent_is_told_by_track(egress, viewer):
    assert egress.sent() == []
    egress.protect([audio(0), audio(1)])
    (track,) = egress.sent()
    assert track == ("audio", viewer.audio_ssrc, viewer.audio_ssrc, 2, 4)
