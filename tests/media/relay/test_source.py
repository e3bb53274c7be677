"""One run of numbers: where it goes on, what in it is new."""

import pytest

from media.relay.source import MAX_DROPOUT, MAX_MISORDER, Source
from media.wire.rtcp import SenderReport
from media.wire.rtp import parse_rtp


@pytest.fixture
def header(rtp):
    def header(sequence, **fields):
        return parse_rtp(rtp(sequence, **fields))

    return header


@pytest.fixture
def source(header):
    first = header(65_535)
    source = Source(first, clock_rate=90_000, first=1_000, timestamp_offset=5)
    assert source.receive(first, now=0.0) == 1_000
    return source


def test_numbers_go_on_over_the_wrap(source, header):
    assert [source.receive(header(n), now=0.0) for n in (0, 1, 3, 2)] == [1001, 1002, 1004, 1003]


def test_repetitions_have_no_number(source, header):
    source.receive(header(2), now=0.0)
    assert source.receive(header(65_535), now=0.0) is None
    assert source.receive(header(2), now=0.0) is None
    assert source.receive(header(1), now=0.0) == 1002
    assert source.receive(header(1), now=0.0) is None


def test_what_is_left_out_closes_up_if_it_can(source, header):
    assert source.receive(header(0), now=0.0, leave_out=True) is None
    assert source.receive(header(1), now=0.0) == 1001
    assert source.receive(header(3), now=0.0) == 1003
    assert source.receive(header(2), now=0.0, leave_out=True) == 1002


@pytest.mark.parametrize(
    ("ahead", "fits"),
    [
        (MAX_DROPOUT - 1, True),
        (MAX_DROPOUT, False),
        (-MAX_MISORDER, True),
        (-MAX_MISORDER - 1, False),
    ],
)
def test_only_what_is_near_goes_on(source, header, ahead, fits):
    assert source.fits(header((65_535 + ahead) & 0xFFFF)) is fits


def test_another_ssrc_does_not_go_on(source, header):
    assert not source.fits(header(0, ssrc=1))


def test_recovered_packets_are_new_once_and_stay_counted_as_lost(source, header):
    source.receive(header(1), now=0.0)
    assert source.recover(0, now=0.1) == 1001
    assert source.recover(0, now=0.2) is None
    assert source.recover(65_535, now=0.2) is None
    assert source.reception.lost == 1


def test_recovery_can_be_ahead_but_not_elsewhere(source):
    assert source.recover(0, now=0.0) == 1001
    assert source.recover(30_000, now=0.0) is None


def test_the_clock_is_told_on_the_tracks_timeline(source):
    source.on_sender_report(SenderReport(0xB0, 7 << 32, 2**32 - 2, 0, 0), now=3.0)
    assert source.clock.at(3.0) == (7 << 32, 3)
