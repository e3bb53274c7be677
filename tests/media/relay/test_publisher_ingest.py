"""The publisher's packets: which track takes them, which nobody does."""

from dataclasses import replace

import pytest

from media.plane import MissingVideo
from media.relay.publisher_ingest import PublisherIngest
from media.wire.extensions import Extension
from media.wire.rtcp import SenderReport


@pytest.fixture
def ingest(new_stage):
    ingest = PublisherIngest(max_bitrate_bps=1_000_000)
    ingest.set_publisher([new_stage.AUDIO, new_stage.VIDEO], now=0.0)
    return ingest


def test_payload_types_lead_to_tracks(ingest, rtp):
    packets = ingest.receive([rtp(1), rtp(9, b"tone", ssrc=0xA0, payload_type=111)], now=0.0)
    assert [(p.kind, p.keyframe) for p in packets] == [("video", False), ("audio", True)]


def test_what_is_no_packet_of_a_track_is_refused(ingest, rtp):
    malformed = b"\x90" + rtp(1)[1:12] + b"\xbe\xde\0\1\x1f\0\0\0" + b"x"
    foreign = rtp(1, payload_type=5, ssrc=3)
    assert ingest.receive([b"", b"x" * 40, foreign, malformed], now=0.0) == []
    assert ingest.refused == 4


def test_foreign_payload_types_of_a_source_close_up(ingest, rtp):
    packets = ingest.receive([rtp(1), rtp(2, payload_type=49), rtp(3)], now=0.0)
    assert [p.sequence for p in packets] == [0, 1]
    assert ingest.refused == 0


def test_rtx_by_its_payload_type(ingest, rtp):
    ingest.receive([rtp(1), rtp(3)], now=0.0)
    (packet,) = ingest.receive([rtp(70, b"\0\2late", ssrc=0xC0, payload_type=97)], now=0.1)
    assert (packet.sequence, packet.payload) == (1, b"late")


def test_extensions_go_on_by_their_names(new_stage, rtp):
    ingest = PublisherIngest(max_bitrate_bps=1_000_000)
    ids = ((5, Extension.VIDEO_ORIENTATION),)
    ingest.set_publisher([replace(new_stage.VIDEO, extensions=ids)], now=0.0)
    packet = b"\x90" + rtp(1)[1:12] + b"\xbe\xde\0\1\x50\x02\x60\x07" + new_stage.KEY
    (relayed,) = ingest.receive([packet], now=0.0)
    assert relayed.extensions == ((Extension.VIDEO_ORIENTATION, b"\x02"),)
    (relayed,) = ingest.receive([rtp(2)], now=0.0)
    assert relayed.extensions == ()


def test_keyframes_of_video_are_counted(ingest, rtp, new_stage):
    tone = rtp(9, b"tone", ssrc=0xA0, payload_type=111)
    ingest.receive([rtp(1, new_stage.KEY), rtp(2), tone], now=0.0)
    assert ingest.keyframes == 1


def test_what_is_beyond_the_bit_rate_is_dropped_before_it_is_anything(ingest, rtp):
    packets = [rtp(n, bytes(988)) for n in range(1, 200)]
    relayed = ingest.receive(packets, now=0.0)
    assert (len(relayed), ingest.over_bitrate, ingest.refused) == (125, 74, 0)
    assert ingest.receive([b"x" * 1000], now=0.0) == []
    assert (ingest.over_bitrate, ingest.refused) == (75, 0)
    assert [block.lost for block in ingest.reports(0.0)] == [0]
    assert len(ingest.receive([rtp(200, bytes(988))], now=0.01)) == 1
    ingest.publisher_gone()
    ingest.set_publisher([], now=0.01)
    assert ingest.receive([b"x"], now=0.01) == []
    assert ingest.over_bitrate == 75


def test_missing_video_is_asked_for_by_its_own_numbers(ingest, rtp):
    assert ingest.missing(0.0) is None
    ingest.receive([rtp(65_534), rtp(1)], now=0.0)
    assert ingest.missing(0.0) is None
    assert ingest.missing(0.02) == MissingVideo(0xB0, (65_535, 0))
    assert ingest.missing(0.03) is None


def test_missing_audio_is_not_asked_for(ingest, rtp):
    ingest.receive([rtp(n, b"t", ssrc=0xA0, payload_type=111) for n in (1, 5)], now=0.0)
    assert ingest.missing(0.5) is None


def test_sources_are_reported_one_by_one(ingest, rtp):
    assert ingest.reports(0.0) == []
    ingest.receive([rtp(1), rtp(3), rtp(9, b"tone", ssrc=0xA0, payload_type=111)], now=0.0)
    assert [(b.ssrc, b.lost, b.highest_sequence) for b in ingest.reports(0.0)] == [
        (0xA0, 0, 9),
        (0xB0, 1, 3),
    ]


def test_a_publisher_who_is_gone_is_nobody(ingest, rtp):
    ingest.receive([rtp(1), rtp(3)], now=0.0)
    ingest.publisher_gone()
    assert (ingest.missing(1.0), ingest.media_ssrc("video"), ingest.reports(1.0)) == (
        None,
        None,
        [],
    )
    assert ingest.receive([rtp(4)], now=1.0) == []


def test_clocks_come_with_sender_reports_and_go_with_the_source(ingest, rtp):
    ingest.receive([rtp(1)], now=0.0)
    assert ingest.clock("video") is None
    ingest.on_sender_report(SenderReport(0xB0, 1 << 32, 500, 0, 0), now=0.0)
    assert ingest.clock("video").at(0.0) == (1 << 32, 500)
    assert ingest.clock("audio") is None
    ingest.on_bye([0xB0])
    assert ingest.clock("video") is None


def test_figures_are_told_by_track(ingest, rtp):
    ingest.receive([rtp(1)], now=0.0)
    assert [(track.kind, track.packets) for track in ingest.stats(1.0)] == [
        ("audio", 0),
        ("video", 1),
    ]
