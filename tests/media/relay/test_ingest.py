"""A track's timeline, through whatever the publisher does to it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.relay.arrival import read_arrival
from media.relay.ingest import TrackIngest
from media.wire.rtcp import SenderReport


@pytest.fixture
def ingest(new_stage):
    return TrackIngest(new_stage.VIDEO, now=0.0)


@pytest.fixture(scope="session")
def receive(rtp):
    def receive(ingest, sequence, now=0.0, **fields):
        return ingest.receive(read_arrival(rtp(sequence, **fields)), now)

    return receive


def numbers(packets):
    return [packet.sequence for packet in packets]


def test_the_payload_goes_bare(ingest, rtp):
    packet = rtp(7, b"", marker=True, timestamp=9)
    packet = b"\xb1" + packet[1:] + b"CSRC" + b"\xbe\xde\0\1\x10x\0\0" + b"\x10\x00key" + b"\0\2"
    (relayed,) = ingest.receive(read_arrival(packet), 0.0)
    assert relayed == ("video", 0, 9, True, True, b"\x10\x00key", ())


def test_another_source_with_the_payload_type_must_follow_itself(ingest, receive):
    receive(ingest, 5)
    assert receive(ingest, 100, ssrc=1) == []
    assert receive(ingest, 200, ssrc=1) == []
    assert numbers(receive(ingest, 201, ssrc=1)) == [1, 2]
    assert ingest.media_ssrc == 1


def test_the_known_source_holds_against_single_strangers(ingest, receive):
    receive(ingest, 5)
    receive(ingest, 100, ssrc=1)
    assert numbers(receive(ingest, 6)) == [1]
    assert receive(ingest, 101, ssrc=1) == []
    assert ingest.media_ssrc == 0xB0


def test_a_restarted_encoder_goes_on_by_the_clock(ingest, receive):
    receive(ingest, 5, timestamp=1_000, now=10.0)
    assert receive(ingest, 30_000, timestamp=777, now=10.4) == []
    first, second = receive(ingest, 30_001, timestamp=777, now=10.5)
    assert (first.sequence, second.sequence) == (1, 2)
    assert first.timestamp == second.timestamp == 1_000 + 45_000


def test_a_reconnected_publisher_goes_on_by_the_clock(ingest, receive):
    receive(ingest, 5, timestamp=2**32 - 10, now=10.0)
    ingest.begin(replace(ingest.spec, ssrc=99))
    (relayed,) = receive(ingest, 60_000, ssrc=99, timestamp=123, now=12.0)
    assert relayed.sequence == 1
    assert relayed.timestamp == 180_000 - 10
    (relayed,) = receive(ingest, 60_001, ssrc=99, timestamp=123 + 3_000, now=12.1)
    assert relayed.timestamp == 183_000 - 10


def test_nobody_is_there_between_two_publishers(ingest, receive):
    receive(ingest, 5)
    ingest.end()
    assert (ingest.source, ingest.media_ssrc) == (None, None)
    ingest.begin(ingest.spec)
    assert ingest.media_ssrc == 0xB0


def test_without_an_ssrc_in_the_sdp_the_first_is_it(new_stage, receive):
    ingest = TrackIngest(replace(new_stage.VIDEO, ssrc=None), now=0.0)
    assert ingest.media_ssrc is None
    assert numbers(receive(ingest, 5, ssrc=1234)) == [0]
    assert ingest.media_ssrc == 1234


def test_with_one_the_first_must_be_it_or_two_in_a_row(ingest, receive):
    assert receive(ingest, 5, ssrc=1234) == []
    assert numbers(receive(ingest, 6, ssrc=1234)) == [0, 1]


def test_padding_alone_is_left_out(ingest, rtp, receive):
    receive(ingest, 5)
    probe = b"\xa0" + rtp(6, b"\0\0\0\4")[1:]
    assert ingest.receive(read_arrival(probe), 0.0) == []
    assert numbers(receive(ingest, 7)) == [1]


def test_a_foreign_payload_type_is_left_out(ingest, rtp, receive):
    receive(ingest, 5)
    assert ingest.leave_out(read_arrival(rtp(6, payload_type=49)), 0.0) == []
    assert numbers(receive(ingest, 7)) == [1]


def test_rtx_fills_the_gap(ingest, rtp, receive):
    receive(ingest, 5)
    receive(ingest, 7)
    rtx = rtp(900, (6).to_bytes(2, "big") + b"\x10\x00key", ssrc=0xC0, payload_type=97)
    (relayed,) = ingest.recover(read_arrival(rtx), 0.1)
    assert (relayed.sequence, relayed.payload, relayed.keyframe) == (1, b"\x10\x00key", True)
    assert ingest.recover(read_arrival(rtx), 0.2) == []


def test_rtx_before_the_media_or_of_nothing(ingest, rtp, receive):
    rtx = rtp(900, b"\0\6x", payload_type=97)
    assert ingest.recover(read_arrival(rtx), 0.0) == []
    receive(ingest, 5)
    probe = rtp(901, b"", payload_type=97)
    assert ingest.recover(read_arrival(probe), 0.0) == []


def test_a_bye_makes_room_for_the_next_source(ingest, receive):
    receive(ingest, 5)
    ingest.on_bye(1)
    ingest.on_bye(0xB0)
    assert ingest.source is None
    assert numbers(receive(ingest, 9_000)) == [1]


def test_clocks_of_others_or_of_no_time_are_not_taken(ingest, receive):
    ingest.on_sender_report(SenderReport(0xB0, 1 << 32, 0, 0, 0), 0.0)
    receive(ingest, 5)
    ingest.on_sender_report(SenderReport(0xB1, 1 << 32, 0, 0, 0), 0.0)
    ingest.on_sender_report(SenderReport(0xB0, 0, 0, 0, 0), 0.0)
    assert ingest.source.clock is None


def test_figures_outlive_the_source(ingest, receive):
    receive(ingest, 5)
    receive(ingest, 8)
    ingest.begin(ingest.spec)
    receive(ingest, 100)
    receive(ingest, 102, now=0.5)
    stats = ingest.stats(now=1.0)
    assert (stats.kind, stats.codec, stats.packets, stats.lost) == ("video", "vp8", 4, 3)
    assert stats.bitrate_bps == 4 * 19 * 8


publishers = st.lists(
    st.tuples(
        st.integers(0, 0xFFFF),  # first sequence
        st.integers(0, 2**32 - 1),  # first timestamp
        st.lists(st.integers(-3, 6), min_size=1, max_size=20),  # steps in sequence
        st.floats(0.01, 40.0),  # how long it was away
    ),
    min_size=1,
    max_size=5,
)


@given(publishers)
def test_whatever_publishers_send_there_is_one_timeline(new_stage, receive, publishers):
    ingest, seen, now, last = TrackIngest(new_stage.VIDEO, now=0.0), {}, 0.0, None
    for first, timestamp, steps, away_s in publishers:
        ingest.begin(ingest.spec)
        now += away_s
        at, is_first = first, True
        for step in [0, *steps]:
            at += step
            now += 0.01
            stamp = (timestamp + (at - first) * 900) & 0xFFFFFFFF
            for relayed in receive(ingest, at, timestamp=stamp, now=now):
                assert relayed.sequence not in seen
                seen[relayed.sequence] = relayed
                if is_first and last is not None:
                    assert relayed.sequence == last.sequence + 1
                    elapsed = (relayed.timestamp - last.timestamp) & 0xFFFFFFFF
                    assert 0 < elapsed < 41 * 90_000
                is_first = False
                if last is None or relayed.sequence > last.sequence:
                    last = relayed
