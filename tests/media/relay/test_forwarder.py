"""The publisher's side: what is taken, and what is asked for when."""

from dataclasses import replace

import pytest

from media.relay.forwarder import Forwarder
from media.wire.rtcp import (
    Bye,
    Nack,
    PictureLoss,
    ReceiverEstimate,
    ReceiverReport,
    SenderReport,
    parse_rtcp,
)


@pytest.fixture
def forwarder(new_stage):
    forwarder = Forwarder(cname="x", keyframe_interval_s=1.0, max_bitrate_bps=4_000_000)
    forwarder.set_publisher([new_stage.AUDIO, new_stage.VIDEO], now=0.0)
    return forwarder


def asked(forwarder, now, *, waiting=False):
    return parse_rtcp(forwarder.poll(now, waiting=waiting))


def of(kind, messages):
    return [message for message in messages if isinstance(message, kind)]


def test_payload_types_lead_to_tracks(forwarder, rtp):
    packets = forwarder.receive([rtp(1), rtp(9, b"tone", ssrc=0xA0, payload_type=111)], now=0.0)
    assert [(p.kind, p.keyframe) for p in packets] == [("video", False), ("audio", True)]


def test_what_is_no_packet_of_a_track_is_refused(forwarder, rtp):
    assert forwarder.receive([b"", b"x" * 40, rtp(1, payload_type=5, ssrc=3)], now=0.0) == []
    assert forwarder.refused == 3


def test_foreign_payload_types_of_a_source_close_up(forwarder, rtp):
    packets = forwarder.receive([rtp(1), rtp(2, payload_type=49), rtp(3)], now=0.0)
    assert [p.sequence for p in packets] == [0, 1]
    assert forwarder.refused == 0


def test_rtx_by_its_payload_type(forwarder, rtp):
    forwarder.receive([rtp(1), rtp(3)], now=0.0)
    (packet,) = forwarder.receive([rtp(70, b"\0\2late", ssrc=0xC0, payload_type=97)], now=0.1)
    assert (packet.sequence, packet.payload) == (1, b"late")


def test_nothing_to_say_before_media(forwarder):
    assert asked(forwarder, 0.0) == []


def test_a_report_every_second(forwarder, rtp):
    forwarder.receive([rtp(1), rtp(3), rtp(9, b"tone", ssrc=0xA0, payload_type=111)], now=0.0)
    report, estimate = asked(forwarder, 0.0)
    assert isinstance(report, ReceiverReport)
    assert [(b.ssrc, b.lost, b.highest_sequence) for b in report.blocks] == [
        (0xA0, 0, 9),
        (0xB0, 1, 3),
    ]
    assert estimate == ReceiverEstimate(4_000_000, (0xA0, 0xB0))
    assert of(ReceiverEstimate, asked(forwarder, 0.99)) == []
    assert of(ReceiverEstimate, asked(forwarder, 1.0)) == [estimate]


def test_missing_video_is_asked_for_by_its_own_numbers(forwarder, rtp):
    forwarder.receive([rtp(65_534), rtp(1)], now=0.0)
    asked(forwarder, 0.0)
    report, nack = asked(forwarder, 0.02)
    assert report == ReceiverReport(1, ())
    assert nack == Nack(0xB0, (65_535, 0))
    assert asked(forwarder, 0.03) == []


def test_missing_audio_is_not_asked_for(forwarder, rtp):
    forwarder.receive([rtp(n, b"t", ssrc=0xA0, payload_type=111) for n in (1, 5)], now=0.0)
    assert of(Nack, asked(forwarder, 0.5)) == []


def test_keyframes_for_those_who_wait(forwarder, rtp, new_stage):
    assert of(PictureLoss, asked(forwarder, 0.0, waiting=True)) == [PictureLoss(0xB0)]
    assert asked(forwarder, 0.9, waiting=True) == []
    assert of(PictureLoss, asked(forwarder, 1.0, waiting=True)) == [PictureLoss(0xB0)]
    forwarder.keyframes.want()
    forwarder.receive([rtp(1, new_stage.KEY)], now=1.5)
    assert of(PictureLoss, asked(forwarder, 2.5)) == []


def test_without_a_video_source_there_is_nobody_to_ask(new_stage):
    forwarder = Forwarder(cname="x", keyframe_interval_s=1.0, max_bitrate_bps=1)
    forwarder.set_publisher([new_stage.AUDIO, replace(new_stage.VIDEO, ssrc=None)], now=0.0)
    assert asked(forwarder, 0.0, waiting=True) == []


def test_a_publisher_who_is_gone_is_left_in_peace(forwarder, rtp):
    forwarder.receive([rtp(1), rtp(3)], now=0.0)
    forwarder.publisher_gone()
    assert asked(forwarder, 1.0, waiting=True) == []
    assert forwarder.receive([rtp(4)], now=1.0) == []
    assert not forwarder.has_clock


def test_a_publisher_who_comes_back_without_video_is_not_asked_for_it(forwarder, rtp, new_stage):
    forwarder.receive([rtp(1)], now=0.0)
    forwarder.set_publisher([new_stage.AUDIO], now=1.0)
    assert asked(forwarder, 1.0, waiting=True) == []


def test_the_longest_feedback_fits_a_datagram(forwarder, rtp):
    forwarder.receive([rtp(1), rtp(2_900), rtp(9, b"t", ssrc=0xA0, payload_type=111)], now=0.0)
    for number in range(30, 2_800, 20):
        forwarder.receive([rtp(number)], now=0.0)
    sizes = [len(forwarder.poll(0.1 + at / 100, waiting=True)) for at in range(200)]
    assert 100 < max(sizes) < 1_200


def test_clocks_come_with_sender_reports_and_go_with_the_source(forwarder, rtp):
    forwarder.receive([rtp(1)], now=0.0)
    assert not forwarder.has_clock
    forwarder.on_rtcp([SenderReport(0xB0, 1 << 32, 500, 0, 0)], now=0.0)
    assert forwarder.clock("video").at(0.0) == (1 << 32, 500)
    assert forwarder.clock("audio") is None
    forwarder.on_rtcp([Bye((0xB0,))], now=0.0)
    assert not forwarder.has_clock
