"""One track towards one viewer: where it begins, what it is called there, what it says again."""

import pytest

from media.relay.lane import Lane
from media.relay.packet_cache import PacketCache
from media.relay.packet_writer import TransportSequence
from media.relay.stats import FanoutCounters
from media.relay.tracks import RelayPacket
from media.wire.extensions import Extension


@pytest.fixture
def viewer(stage):
    return stage.viewer()


@pytest.fixture
def counters():
    return FanoutCounters()


@pytest.fixture
def lane(viewer, counters):
    return new_lane(viewer, counters)


def new_lane(viewer, counters):
    return Lane(viewer.viewer.tracks[0], viewer.viewer.keys, TransportSequence(), counters)


@pytest.fixture
def cache():
    return PacketCache(64, 10_000, 1.5)


def video(sequence, *, keyframe=False, timestamp=0, marker=False):
    return RelayPacket("video", sequence, timestamp, marker, keyframe, b"v%d" % sequence)


def send(lane, *packets):
    datagrams = []
    lane.send(packets, 0.0, datagrams)
    return datagrams


def test_headers_are_the_viewers_own(lane, viewer):
    packet = video(0, keyframe=True, marker=True, timestamp=2**32 - 1)
    ((header, payload),) = viewer.decrypt(send(lane, packet))
    assert (header.payload_type, header.ssrc) == (120, viewer.video_ssrc)
    assert (header.marker, payload) == (True, b"v0")
    assert header.sequence == viewer.video_ssrc & 0x7FFF
    assert header.timestamp == viewer.video_ssrc - 1


def test_it_begins_with_a_keyframe(lane, viewer, counters):
    assert send(lane, video(0), video(1)) == []
    assert lane.waiting
    packets = viewer.decrypt(send(lane, video(2), video(3, keyframe=True), video(4)))
    assert [payload for _, payload in packets] == [b"v3", b"v4"]
    assert not lane.waiting
    assert counters.dropped == 0


def test_what_is_left_out_leaves_no_gap_but_is_counted(lane, viewer, counters):
    before = viewer.decrypt(send(lane, video(0, keyframe=True), video(1)))
    lane.waiting = True
    assert send(lane, video(2), video(3)) == []
    after = viewer.decrypt(send(lane, video(4, keyframe=True)))
    assert after[0][0].sequence == before[1][0].sequence + 1
    assert counters.dropped == 2


def test_losses_and_reordering_of_the_publisher_show(lane, viewer):
    run = [video(0, keyframe=True), video(3), video(1)]
    first = viewer.video_ssrc & 0x7FFF
    packets = viewer.decrypt(send(lane, *run))
    assert [header.sequence - first for header, _ in packets] == [0, 3, 1]


def test_what_came_before_the_beginning_has_no_number(lane):
    send(lane, video(5, keyframe=True))
    assert send(lane, video(4)) == []


def test_what_is_asked_for_again_is_the_same_bytes(lane, viewer, cache):
    run = [video(n, keyframe=n == 0) for n in range(5)]
    for packet in run:
        cache.add(packet, 0.0)
    datagrams = send(lane, *run)
    numbers = [header.sequence for header, _ in viewer.decrypt(datagrams)]
    again = []
    lane.send_again([numbers[3], numbers[1]], cache, 0.0, again)
    assert again == [datagrams[3], datagrams[1]]


def test_what_has_no_number_is_not_sent_again(lane, viewer, cache):
    first = viewer.video_ssrc & 0x7FFF
    cache.add(video(0), 0.0)
    again = []
    lane.send_again([first], cache, 0.0, again)
    send(lane, video(1, keyframe=True))
    lane.send_again([first - 1, first, first + 1, 0], cache, 0.0, again)
    assert again == []


def test_it_counts_what_went_out(lane):
    send(lane, video(0), video(1, keyframe=True), video(2))
    assert (lane.packets, lane.octets) == (2, 4)


def test_what_is_asked_for_again_goes_by_rtx_where_it_was_negotiated(stage, counters, cache):
    viewer = stage.viewer(rtx=True)
    lane = new_lane(viewer, counters)
    run = [video(n, keyframe=n == 0, marker=n == 1, timestamp=n) for n in range(3)]
    for packet in run:
        cache.add(packet, 0.0)
    sent = viewer.decrypt(send(lane, *run))
    numbers = [header.sequence for header, _ in sent]
    again = []
    lane.send_again([numbers[1], numbers[1], numbers[2], numbers[2] + 1], cache, 0.1, again)
    repeated = viewer.decrypt(again)
    assert [(header.ssrc, header.payload_type) for header, _ in repeated] == [
        (viewer.rtx_ssrc, 121)
    ] * 3
    assert [header.sequence - (viewer.rtx_ssrc & 0x7FFF) for header, _ in repeated] == [0, 1, 2]
    assert [(header.timestamp, header.marker) for header, _ in repeated] == [
        (sent[at][0].timestamp, sent[at][0].marker) for at in (1, 1, 2)
    ]
    assert [payload for _, payload in repeated] == [
        numbers[at].to_bytes(2, "big") + b"v%d" % at for at in (1, 1, 2)
    ]


@pytest.mark.parametrize("stamp", [Extension.ABS_SEND_TIME, Extension.TRANSPORT_SEQUENCE])
def test_a_stamped_packet_is_never_sent_again_as_it_was(stage, counters, cache, stamp):
    viewer = stage.viewer(extensions=((stamp, 3),))
    lane = new_lane(viewer, counters)
    cache.add(video(0), 0.0)
    ((header, _),) = viewer.decrypt(send(lane, video(0, keyframe=True)))
    again = []
    lane.send_again([header.sequence], cache, 0.1, again)
    assert again == []
