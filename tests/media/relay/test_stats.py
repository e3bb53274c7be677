"""The rate meter."""

import pytest

from media.relay.stats import RateMeter


def test_an_even_rate_is_found():
    meter = RateMeter(now=100.0)
    for step in range(500):
        meter.add(250, now=100.0 + step / 100)
    assert meter.bitrate_bps(105.0) == pytest.approx(200_000, rel=0.05)


def test_a_young_meter_does_not_wait_for_its_window():
    meter = RateMeter(now=0.0)
    for step in range(50):
        meter.add(250, now=step / 100)
    assert meter.bitrate_bps(0.5) == pytest.approx(200_000, rel=0.05)


def test_silence_is_nothing():
    meter = RateMeter(now=0.0)
    meter.add(1_000_000, now=0.5)
    assert meter.bitrate_bps(1.0) > 0
    assert meter.bitrate_bps(3.0) == 0
