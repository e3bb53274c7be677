"""The publisher's side: what it is told and asked, and when."""

from dataclasses import replace

import pytest

from media.relay.publisher_feedback import PublisherFeedback
from media.wire.rtcp import Nack, PictureLoss, ReceiverEstimate, ReceiverReport, parse_rtcp


@pytest.fixture
def plane(stage):
    stage.plane.set_publisher(7, [stage.AUDIO, stage.VIDEO], now=0.0)
    return stage.plane


@pytest.fixture
def feedback(plane):
    return PublisherFeedback(plane, cname="x", keyframe_interval_s=1.0, bitrate_bps=4_000_000)


def asked(feedback, now):
    return parse_rtcp(feedback.poll(now))


def of(kind, messages):
    return [message for message in messages if isinstance(message, kind)]


def test_nothing_to_say_before_media(feedback):
    assert asked(feedback, 0.0) == []


def test_a_report_every_second(feedback, plane, rtp):
    plane.on_rtp([rtp(1), rtp(3), rtp(9, b"tone", ssrc=0xA0, payload_type=111)], now=0.0)
    report, estimate = asked(feedback, 0.0)
    assert isinstance(report, ReceiverReport)
    assert [(b.ssrc, b.lost) for b in report.blocks] == [(0xA0, 0), (0xB0, 1)]
    assert estimate == ReceiverEstimate(4_000_000, (0xA0, 0xB0))
    assert of(ReceiverEstimate, asked(feedback, 0.99)) == []
    assert of(ReceiverEstimate, asked(feedback, 1.0)) == [estimate]


def test_missing_video_is_asked_for(feedback, plane, rtp):
    plane.on_rtp([rtp(65_534), rtp(1)], now=0.0)
    asked(feedback, 0.0)
    report, nack = asked(feedback, 0.02)
    assert report == ReceiverReport(1, ())
    assert nack == Nack(0xB0, (65_535, 0))
    assert asked(feedback, 0.03) == []


def test_keyframes_for_those_who_wait(feedback, stage, plane, rtp):
    stage.viewer()
    assert of(PictureLoss, asked(feedback, 0.0)) == [PictureLoss(0xB0)]
    assert asked(feedback, 0.9) == []
    assert of(PictureLoss, asked(feedback, 1.0)) == [PictureLoss(0xB0)]
    feedback.want_keyframe()
    plane.on_rtp([rtp(1, stage.KEY)], now=1.5)
    assert of(PictureLoss, asked(feedback, 2.5)) == []


def test_a_wish_after_the_last_keyframe_stands(feedback, stage, plane, rtp):
    plane.on_rtp([rtp(1, stage.KEY)], now=0.0)
    feedback.want_keyframe()  # before anybody looked whether a keyframe came
    assert of(PictureLoss, asked(feedback, 0.5)) == [PictureLoss(0xB0)]


def test_without_a_video_source_there_is_nobody_to_ask(stage, feedback):
    stage.viewer()
    stage.plane.set_publisher(7, [stage.AUDIO, replace(stage.VIDEO, ssrc=None)], now=0.0)
    assert asked(feedback, 0.0) == []


def test_a_publisher_who_is_gone_is_left_in_peace(feedback, stage, plane, rtp):
    stage.viewer()
    plane.on_rtp([rtp(1), rtp(3)], now=0.0)
    plane.publisher_gone()
    assert asked(feedback, 1.0) == []


def test_a_publisher_who_comes_back_without_video_is_not_asked_for_it(feedback, stage, plane, rtp):
    stage.viewer()
    plane.on_rtp([rtp(1)], now=0.0)
    plane.set_publisher(7, [stage.AUDIO], now=1.0)
    assert asked(feedback, 1.0) == []


def test_the_longest_feedback_fits_a_datagram(feedback, stage, plane, rtp):
    stage.viewer()
    plane.on_rtp([rtp(1), rtp(2_900), rtp(9, b"t", ssrc=0xA0, payload_type=111)], now=0.0)
    for number in range(30, 2_800, 20):
        plane.on_rtp([rtp(number)], now=0.0)
    sizes = [len(feedback.poll(0.1 + at / 100)) for at in range(200)]
    assert 100 < max(sizes) < 1_200
