"""A stream as a whole: a publisher's bytes in, viewers' bytes out, feedback both ways."""

import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.relay.stream import PUBLISHER, Feedback
from media.wire.extensions import Extension
from media.wire.rtcp import (
    Nack,
    PictureLoss,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    build_bye,
    build_nack,
    build_pli,
    build_receiver_report,
    build_sender_report,
    parse_rtcp,
)


@pytest.fixture
def live(stage):
    """A stage whose publisher is connected."""
    stage.relay.set_publisher(7, [stage.AUDIO, stage.VIDEO], now=0.0)
    return stage


def poll(stage, to, now):
    """The messages for one receiver."""
    feedback = stage.relay.poll(now)
    return [m for f in feedback if f.to == to for m in parse_rtcp(f.packet)]


def keyframe_requests(stage, now):
    return [m for m in poll(stage, PUBLISHER, now) if isinstance(m, PictureLoss)]


def numbers_and_payloads(packets):
    return [(header.sequence, payload) for header, payload in packets]


def test_each_viewer_gets_both_tracks_under_its_own_names(live, rtp):
    viewers = [live.viewer(), live.viewer()]
    tone = rtp(9, b"tone", ssrc=0xA0, payload_type=111, timestamp=960)
    live.plane.on_rtp([rtp(1, live.KEY, timestamp=3_000, marker=True), tone], now=0.0)
    for viewer in viewers:
        (video, picture), (audio, sound) = live.take(viewer)
        assert (video.payload_type, video.ssrc, picture) == (120, viewer.video_ssrc, live.KEY)
        assert (audio.payload_type, audio.ssrc, sound) == (109, viewer.audio_ssrc, b"tone")
        assert video.marker
        assert video.timestamp == (3_000 + viewer.video_ssrc) & 0xFFFFFFFF
        assert audio.timestamp == 960 + viewer.audio_ssrc


def test_a_joining_viewer_asks_for_a_keyframe_and_the_next_one_serves_all(live, rtp):
    assert keyframe_requests(live, 0.0) == [PictureLoss(0xB0)]
    live.plane.on_rtp([rtp(1, live.KEY)], now=0.1)
    assert keyframe_requests(live, 0.5) == []
    live.viewer(now=0.6)
    live.viewer(now=0.7)
    assert keyframe_requests(live, 0.7) == []
    assert keyframe_requests(live, 1.0) == [PictureLoss(0xB0)]
    live.plane.on_rtp([rtp(2, live.KEY)], now=1.1)
    assert keyframe_requests(live, 5.0) == []
    assert live.relay.stats(5.0).keyframe_requests == 2


def test_viewers_wishes_are_throttled_and_the_last_is_not_lost(live, rtp):
    viewer = live.viewer()
    live.plane.on_rtp([rtp(1, live.KEY)], now=0.0)
    wish = build_pli(1, viewer.video_ssrc)
    asked = []
    for tenth in range(35):
        now = tenth / 10
        if tenth <= 22:
            live.relay.on_viewer_rtcp(viewer.number, wish, now)
        if keyframe_requests(live, now):
            asked.append(now)
    assert asked == [0.0, 1.0, 2.0, 3.0]


def test_full_intra_requests_count_as_well_and_foreign_wishes_do_not(live, rtp):
    viewer = live.viewer()
    live.plane.on_rtp([rtp(1, live.KEY)], now=0.0)
    keyframe_requests(live, 0.0)
    live.relay.on_viewer_rtcp(viewer.number, build_pli(1, viewer.audio_ssrc), now=2.0)
    live.relay.on_viewer_rtcp(viewer.number, build_pli(1, 0xB0), now=2.0)
    assert keyframe_requests(live, 2.0) == []
    fir = bytes.fromhex("84ce0004") + bytes(8) + struct.pack("!II", viewer.video_ssrc, 0)
    live.relay.on_viewer_rtcp(viewer.number, fir, now=2.0)
    assert keyframe_requests(live, 2.0) == [PictureLoss(0xB0)]


def test_a_viewers_losses_are_made_good_without_the_publisher(live, rtp):
    viewer = live.viewer()
    live.plane.on_rtp([rtp(n, live.KEY) for n in range(5)], now=0.0)
    datagrams = [datagram for datagram, _ in live.sink.sent]
    numbers = [header.sequence for header, _ in live.take(viewer)]
    nack = build_nack(1, viewer.video_ssrc, [numbers[1], numbers[3]])
    live.relay.on_viewer_rtcp(viewer.number, nack, now=0.1)
    assert [datagram for datagram, _ in live.sink.sent] == [datagrams[1], datagrams[3]]
    assert not any(isinstance(m, Nack) for m in poll(live, PUBLISHER, 0.2))
    assert live.relay.stats(0.1).packets_resent == 2


def test_a_viewer_gets_only_so_much_again(live, rtp):
    viewer = live.viewer()
    live.plane.on_rtp([rtp(0, live.KEY)], now=0.0)
    ((header, _),) = live.take(viewer)
    nack = build_nack(1, viewer.video_ssrc, [header.sequence])
    for _ in range(10 * live.settings.resend_packets_per_s):
        live.relay.on_viewer_rtcp(viewer.number, nack, now=0.5)
    assert live.relay.stats(0.5).packets_resent == live.settings.resend_packets_per_s
    assert live.dropped == {"nack_over_budget": 9 * live.settings.resend_packets_per_s}


def test_the_publishers_losses_are_asked_for_and_their_late_arrival_forwarded(live, rtp):
    viewer = live.viewer()
    live.plane.on_rtp([rtp(0, live.KEY), rtp(2)], now=0.0)
    live.relay.poll(0.0)
    assert Nack(0xB0, (1,)) in poll(live, PUBLISHER, 0.05)
    live.plane.on_rtp([rtp(1, b"\x10\x01late")], now=0.08)
    packets = numbers_and_payloads(live.take(viewer))
    start = packets[0][0]
    assert [(n - start, p) for n, p in packets] == [
        (0, live.KEY),
        (2, live.DELTA),
        (1, b"\x10\x01late"),
    ]


def test_sender_reports_reach_each_viewer_on_its_own_timeline(live, rtp):
    viewers = [live.viewer(), live.viewer()]
    tone = rtp(9, b"tone", ssrc=0xA0, payload_type=111)
    live.plane.on_rtp([rtp(1, live.KEY), rtp(2), tone], now=0.0)
    assert poll(live, 1, 0.0) == []
    ntp = 3_900_000_000 << 32
    reports = [SenderReport(0xB0, ntp, 90_000, 7, 7), SenderReport(0xA0, ntp, 48_000, 7, 7)]
    live.relay.on_publisher_rtcp(b"".join(map(build_sender_report, reports)), now=0.0)
    for viewer, now in zip(viewers, (0.5, 0.75), strict=True):
        (answer,) = [each for each in live.relay.poll(now) if each.to != PUBLISHER]
        assert answer.to == viewer.number
        video, audio = parse_rtcp(answer.packet)
        later = ntp + int(now * (1 << 32))
        video_time = (90_000 + int(now * 90_000) + viewer.video_ssrc) & 0xFFFFFFFF
        audio_time = 48_000 + int(now * 48_000) + viewer.audio_ssrc
        octets = len(live.KEY + live.DELTA)
        assert video == SenderReport(viewer.video_ssrc, later, video_time, 2, octets)
        assert audio == SenderReport(viewer.audio_ssrc, later, audio_time, 1, 4)
        assert b"stage" in answer.packet


def test_sender_reports_repeat_every_second_and_start_with_the_track(live, rtp):
    live.viewer()
    live.plane.on_rtp([rtp(1, live.KEY)], now=0.0)
    live.relay.on_publisher_rtcp(build_sender_report(SenderReport(0xB0, 1, 0, 0, 0)), now=0.0)
    told = [at / 20 for at in range(50) if poll(live, 1, at / 20)]
    assert told == [0.0, 1.0, 2.0]
    live.viewer(now=2.5)
    assert poll(live, 2, 2.5) == []
    live.plane.on_rtp([rtp(2, live.KEY)], now=2.6)
    assert len(poll(live, 2, 2.6)) == 1


def test_reports_of_viewers_are_added_up(live):
    viewer = live.viewer()
    for lost in (3, 10):
        blocks = [
            ReportBlock(viewer.video_ssrc, 0, lost, 0, 0, 0, 0),
            ReportBlock(viewer.audio_ssrc, 0, -2, 0, 0, 0, 0),
            ReportBlock(0xDEAD, 0, 1_000, 0, 0, 0, 0),
        ]
        live.relay.on_viewer_rtcp(viewer.number, build_receiver_report(1, blocks), now=1.0)
    assert live.relay.stats(1.0).viewer_packets_lost == 10


def transport_feedback(base, received):
    vector = 0x8000 | sum(bit << 13 - at for at, bit in enumerate(received))
    body = struct.pack("!IIHH4xH2x", 1, 1, base, len(received), vector)
    return struct.pack("!BBH", 0x8F, 205, len(body) // 4) + body


def test_losses_of_viewers_only_add_up(live):
    viewer = live.viewer()
    for lost in (3, 10, 8, 9):
        block = ReportBlock(viewer.video_ssrc, 0, lost, 0, 0, 0, 0)
        live.relay.on_viewer_rtcp(viewer.number, build_receiver_report(1, [block]), now=1.0)
    live.relay.on_viewer_rtcp(viewer.number, transport_feedback(0, [0, 0]), now=1.0)
    assert live.relay.totals.viewer_packets_lost == 11


def test_who_reports_on_each_packet_is_counted_by_that(live):
    viewer = live.viewer(rtx=True, extensions=((Extension.TRANSPORT_SEQUENCE, 5),))
    block = ReportBlock(viewer.video_ssrc, 0, 3, 0, 0, 0, 0)
    live.relay.on_viewer_rtcp(viewer.number, build_receiver_report(1, [block]), now=1.0)
    live.relay.on_viewer_rtcp(viewer.number, transport_feedback(7, [1, 0, 1, 1, 0]), now=1.0)
    assert live.relay.totals.viewer_packets_lost == 2


def test_a_publisher_who_comes_back_goes_on_where_it_was(live, rtp):
    viewer = live.viewer()
    live.plane.on_rtp([rtp(65_535, live.KEY, timestamp=1_000)], now=10.0)
    live.relay.publisher_gone(now=12.0)
    live.plane.on_rtp([rtp(0)], now=12.0)
    back = replace(live.VIDEO, ssrc=0xEE, payload_type=102)
    live.relay.set_publisher(7, [back], now=20.0)
    assert keyframe_requests(live, 20.0) == [PictureLoss(0xEE)]
    fields = {"ssrc": 0xEE, "payload_type": 102}
    live.plane.on_rtp([rtp(17, live.KEY, timestamp=77, **fields)], now=20.0)
    (before, _), (after, payload) = live.take(viewer)
    assert payload == live.KEY
    assert after.sequence == before.sequence + 1
    assert (after.timestamp - before.timestamp) & 0xFFFFFFFF == 10 * 90_000
    assert (before.ssrc, before.payload_type) == (after.ssrc, after.payload_type)


def test_a_bye_in_midstream_is_a_pause(live, rtp):
    viewer = live.viewer()
    live.plane.on_rtp([rtp(5, live.KEY)], now=0.0)
    live.relay.on_publisher_rtcp(build_bye([0xB0]), now=0.0)
    live.plane.on_rtp([rtp(900, live.KEY)], now=1.0)
    first, second = live.take(viewer)
    assert second[0].sequence == first[0].sequence + 1


def test_the_figures(live, rtp):
    live.viewer()
    live.plane.on_rtp([rtp(0, live.KEY), rtp(1), rtp(3), b"nonsense"], now=1.0)
    live.relay.on_publisher_rtcp(b"nonsense", now=1.0)
    stats = live.relay.stats(1.0)
    assert (stats.viewers, stats.packets_forwarded, stats.packets_dropped) == (1, 3, 0)
    assert stats.refused == 2
    audio, video = stats.tracks
    assert (audio.kind, audio.packets) == ("audio", 0)
    assert (video.kind, video.codec, video.packets, video.lost) == ("video", "vp8", 3, 1)


def test_who_is_gone_is_gone(live, rtp):
    viewer = live.viewer()
    live.relay.remove_viewer(viewer.number)
    live.plane.on_rtp([rtp(0, live.KEY)], now=0.0)
    live.relay.on_viewer_rtcp(viewer.number, build_pli(1, viewer.video_ssrc), now=0.0)
    live.relay.remove_viewer(viewer.number)
    assert live.sink.sent == []
    assert live.relay.stats(0.0).viewers == 0


def test_the_first_report_to_the_publisher(live, rtp):
    live.plane.on_rtp([rtp(0, live.KEY)], now=0.0)
    (feedback,) = live.relay.poll(0.0)
    assert isinstance(feedback, Feedback)
    assert isinstance(parse_rtcp(feedback.packet)[0], ReceiverReport)


@given(st.lists(st.tuples(st.sampled_from(["rtp", "publisher", "viewer"]), st.binary(max_size=60))))
def test_no_input_breaks_the_relay(new_stage, rtp, inputs):
    stage = new_stage()
    stage.relay.set_publisher(7, [stage.AUDIO, stage.VIDEO], now=0.0)
    viewer = stage.viewer()
    for number, (kind, data) in enumerate(inputs):
        now = number / 10
        if kind == "rtp":
            stage.plane.on_rtp([data, rtp(number, data), rtp(number, data, payload_type=97)], now)
        elif kind == "publisher":
            stage.relay.on_publisher_rtcp(data, now)
        else:
            stage.relay.on_viewer_rtcp(viewer.number, data, now)
        stage.relay.poll(now)
    stage.relay.stats(100.0)
