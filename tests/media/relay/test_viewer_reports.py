"""Sender reports: to whom, how often, and never to everybody at once."""

from collections import Counter

import pytest

from media.relay.viewer_reports import INTERVAL_S, STEP_S, ViewerReports
from media.wire.rtcp import SenderReport, parse_rtcp


@pytest.fixture
def live(stage, rtp):
    """A stage whose publisher has sent a keyframe to nobody yet."""
    stage.relay.set_publisher(7, [stage.AUDIO, stage.VIDEO], now=0.0)
    return stage


@pytest.fixture
def reports(live):
    return ViewerReports(live.plane, "cname")


def watching(live, reports, rtp, viewers):
    for _ in range(viewers):
        reports.add(live.viewer().number, 0.0)
    live.plane.on_rtp([rtp(1, live.KEY)], 0.0)


def clock_known(live):
    live.plane.on_sender_report(SenderReport(0xB0, 7 << 32, 90_000, 1, 1), 0.0)


def test_without_a_clock_there_is_nothing_to_report(live, reports, rtp):
    watching(live, reports, rtp, 1)
    assert list(reports.poll(5.0)) == []


def test_a_report_is_on_the_viewers_timeline(live, reports, rtp):
    watching(live, reports, rtp, 1)
    clock_known(live)
    ((viewer_id, packet),) = reports.poll(0.5)
    ssrc = live.viewers[0].video_ssrc
    timestamp = (90_000 + 45_000 + ssrc) & 0xFFFFFFFF
    assert viewer_id == 1
    assert parse_rtcp(packet) == [
        SenderReport(ssrc, (7 << 32) + (1 << 31), timestamp, 1, len(live.KEY))
    ]
    assert b"cname" in packet


def test_who_has_got_nothing_yet_is_told_soon_after_it_has(live, reports, rtp):
    watching(live, reports, rtp, 0)
    clock_known(live)
    reports.add(live.viewer().number, 1.0)
    assert list(reports.poll(1.0)) == []
    live.plane.on_rtp([rtp(2, live.KEY)], 1.02)
    assert len(list(reports.poll(1.06))) == 1


@pytest.mark.parametrize("step_s", [0.01, 0.05])
def test_a_crowd_is_served_evenly_and_everybody_every_second(live, reports, rtp, step_s):
    watching(live, reports, rtp, 200)
    clock_known(live)
    steps = [list(reports.poll(at * step_s)) for at in range(round(4 / step_s))]
    assert max(map(len, steps)) <= 1 + 1.26 * 200 * step_s
    told = Counter(viewer for step in steps for viewer, _ in step)
    assert len(told) == 200
    assert min(told.values()) >= 3
    assert max(told.values()) <= 4 / INTERVAL_S


def test_between_two_steps_nothing_goes_out(live, reports, rtp):
    watching(live, reports, rtp, 2)
    clock_known(live)
    assert len(list(reports.poll(1.0))) == 1
    assert list(reports.poll(1.0 + STEP_S / 2)) == []


def test_who_left_is_told_nothing(live, reports, rtp):
    watching(live, reports, rtp, 1)
    clock_known(live)
    reports.remove(1)
    assert list(reports.poll(1.0)) == []
