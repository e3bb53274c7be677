"""RTCP both ways: what is built parses, what is broken is refused, what is foreign is skipped."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.wire.rtcp import (
    Bye,
    FullIntraRequest,
    Nack,
    PictureLoss,
    ReceiverEstimate,
    ReceiverReport,
    ReportBlock,
    RtcpError,
    SenderReport,
    build_bye,
    build_nack,
    build_pli,
    build_receiver_report,
    build_remb,
    build_sdes,
    build_sender_report,
    parse_rtcp,
)
from media.wire.transport_feedback import TransportFeedback

u32 = st.integers(0, 2**32 - 1)
blocks = st.builds(
    ReportBlock, u32, st.integers(0, 255), st.integers(-(2**23), 2**23 - 1), u32, u32, u32, u32
)
PLI = build_pli(1, 2)


sender_reports = st.builds(
    SenderReport,
    u32,
    st.integers(0, 2**64 - 1),
    u32,
    u32,
    u32,
    st.lists(blocks, max_size=31).map(tuple),
)


@given(sender_reports)
def test_sender_reports_survive(report):
    assert parse_rtcp(build_sender_report(report)) == [report]


@given(u32, st.lists(blocks, max_size=31))
def test_receiver_reports_survive(ssrc, report_blocks):
    packet = build_receiver_report(ssrc, report_blocks)
    assert parse_rtcp(packet) == [ReceiverReport(ssrc, tuple(report_blocks))]


def test_a_report_has_no_room_for_more_blocks():
    with pytest.raises(ValueError, match="31"):
        build_receiver_report(1, [ReportBlock(1, 0, 0, 0, 0, 0, 0)] * 32)


def test_what_is_lost_beyond_24_bits_is_clamped():
    (report,) = parse_rtcp(build_receiver_report(1, [ReportBlock(1, 0, 2**24, 0, 0, 0, 0)]))
    assert isinstance(report, ReceiverReport)
    assert report.blocks[0].lost == 0x7FFFFF


def test_sender_report_counters_wrap():
    (report,) = parse_rtcp(build_sender_report(SenderReport(1, 0, 0, 2**32 + 3, 2**40 + 4)))
    assert isinstance(report, SenderReport)
    assert (report.packets, report.octets) == (3, 4)


@given(st.lists(st.integers(0, 0xFFFF), unique=True, min_size=1, max_size=60))
def test_nacks_name_the_same_packets_in_any_order(sequences):
    (nack,) = parse_rtcp(build_nack(1, 2, sequences))
    assert isinstance(nack, Nack)
    assert nack.media_ssrc == 2
    assert set(nack.sequences) == set(sequences)


def test_a_nack_item_wraps_at_65535():
    packet = bytes.fromhex("81cd0003") + bytes(8) + struct.pack("!HH", 65534, 0b1000_0000_0000_0111)
    assert parse_rtcp(packet) == [Nack(0, (65534, 65535, 0, 1, 14))]


def test_a_wrapping_run_shares_one_item():
    assert len(build_nack(1, 2, [65530, 65535, 0, 10])) == 12 + 4


def test_keyframe_requests_and_estimates():
    fir = bytes.fromhex("84ce0006") + bytes(8) + struct.pack("!IIII", 5, 0x01000000, 6, 0x02000000)
    messages = parse_rtcp(PLI + fir + build_remb(1, 2_500_000, [7, 8]) + build_bye([9, 10]))
    assert messages == [
        PictureLoss(2),
        FullIntraRequest((5, 6)),
        ReceiverEstimate(2_500_000, (7, 8)),
        Bye((9, 10)),
    ]


@given(st.integers(0, 2**60))
def test_remb_rounds_down_to_18_bits(bitrate):
    (estimate,) = parse_rtcp(build_remb(1, bitrate, [2]))
    assert isinstance(estimate, ReceiverEstimate)
    assert bitrate * (1 - 2**-17) <= estimate.bitrate_bps <= bitrate


@pytest.mark.parametrize("cname", ["a", "ab", "abc", "abcd", "sociallive"])
def test_sdes_is_aligned_and_skipped(cname):
    packet = build_sdes([1, 2], cname)
    assert len(packet) % 4 == 0
    assert packet[8:10] == bytes((1, len(cname)))
    assert parse_rtcp(packet + PLI) == [PictureLoss(2)]


def test_transport_feedback_counts_what_never_came():
    body = struct.pack("!IIHH4xH2x", 1, 2, 7, 3, 0b1_0_10100000000000)
    packet = bytes.fromhex("8fcd0005") + body
    assert parse_rtcp(packet) == [TransportFeedback(7, 3, 1)]
    with pytest.raises(RtcpError, match="transport feedback"):
        parse_rtcp(bytes.fromhex("8fcd0005") + struct.pack("!IIHH4xH2x", 1, 2, 7, 99, 0xBFFF))


def test_foreign_packets_are_skipped():
    xr = bytes.fromhex("80cf0001") + bytes(4)
    app = bytes.fromhex("80cc0002") + bytes(8)
    ecn = bytes.fromhex("88cd0003") + bytes(12)
    unknown_afb = bytes.fromhex("8fce0003") + bytes(8) + b"ELSE"
    assert parse_rtcp(xr + app + ecn + unknown_afb + PLI) == [PictureLoss(2)]


def test_padding_is_no_content():
    packet = bytes.fromhex("a1cd0004") + bytes(8) + b"\0\1\0\0" + b"\0\0\0\4"
    assert parse_rtcp(packet) == [Nack(0, (1,))]


@pytest.mark.parametrize(
    "packet",
    [
        PLI[:3],
        PLI[:-4],
        b"\x41" + PLI[1:],  # version 1
        bytes.fromhex("82c90001") + bytes(4),  # two blocks promised, none there
        bytes.fromhex("80c80001") + bytes(4),  # an SR of 8 bytes
        bytes.fromhex("82cb0001") + bytes(4),  # a BYE of two sources with one
        bytes.fromhex("81cd0001") + bytes(4),  # a NACK without media SSRC
        bytes.fromhex("81ce0001") + bytes(4),  # a PLI without media SSRC
        bytes.fromhex("8fce0003") + bytes(8) + b"REMB",  # a REMB without its numbers
        bytes.fromhex("8fce0004") + bytes(8) + b"REMB\x05\0\0\0",  # five SSRCs promised
        bytes.fromhex("a0c90000"),  # padding of nothing
        bytes.fromhex("a0c90001") + b"\0\0\0\5",  # padding beyond the packet
        bytes.fromhex("a0c90001") + b"\0\0\0\0",  # padding of zero
    ],
)
def test_refused(packet):
    with pytest.raises(RtcpError):
        parse_rtcp(PLI + packet)


@given(st.binary(max_size=120))
def test_no_bytes_raise_anything_else(packet):
    with contextlib.suppress(RtcpError):
        parse_rtcp(packet)


@given(st.sampled_from([200, 201, 202, 203, 205, 206, 207]), st.integers(0, 63), st.data())
def test_no_body_raises_anything_else(packet_type, count, data):
    words = data.draw(st.integers(0, 20))
    body = data.draw(st.binary(min_size=4 * words, max_size=4 * words))
    with contextlib.suppress(RtcpError):
        parse_rtcp(struct.pack("!BBH", 0x80 | count, packet_type, words) + body)
