import pytest

from media.transport.demux import DatagramKind, classify, ssrc_of


@pytest.mark.parametrize(
    ("datagram", "kind"),
    [
        (b"\x00\x01", DatagramKind.STUN),
        (b"\x03\x00", DatagramKind.STUN),
        (b"\x04\x00", DatagramKind.OTHER),
        (b"\x13\x00", DatagramKind.OTHER),
        (b"\x14\xfe", DatagramKind.DTLS),
        (b"\x3f\xfe", DatagramKind.DTLS),
        (b"\x40\x00", DatagramKind.OTHER),
        (b"\x7f\x00", DatagramKind.OTHER),
        (b"\x80\x60", DatagramKind.RTP),
        (b"\x80\xe0", DatagramKind.RTP),  # payload type 96 with the marker
        (b"\xbf\x6f", DatagramKind.RTP),
        (b"\x80\xbf", DatagramKind.RTP),
        (b"\x80\xc0", DatagramKind.RTCP),
        (b"\x81\xc8", DatagramKind.RTCP),
        (b"\x8f\xce", DatagramKind.RTCP),
        (b"\x80\xdf", DatagramKind.RTCP),
        (b"\xc0\xc8", DatagramKind.OTHER),
        (b"\xff\xff", DatagramKind.OTHER),
        (b"\x80", DatagramKind.OTHER),
        (b"", DatagramKind.OTHER),
    ],
)
def test_first_bytes_decide(datagram: bytes, kind: DatagramKind) -> None:
    assert classify(datagram) is kind


@pytest.mark.parametrize(
    ("datagram", "ssrc"),
    [
        (b"\x80\x60" + bytes(6) + b"\1\2\3\4rest", 0x01020304),
        (b"\x80\xc8" + bytes(2) + b"\1\2\3\4rest", 0x01020304),
        (b"\x80\x60" + bytes(6) + b"\1\2\3", 0),
        (b"\x80\xc8" + bytes(2) + b"\1\2\3", 0),
        (b"\x00\x01" + bytes(2) + b"\1\2\3\4" * 3, 0),
        (b"", 0),
    ],
)
def test_the_source_of_rtp_and_rtcp_can_be_read(datagram: bytes, ssrc: int) -> None:
    assert ssrc_of(datagram) == ssrc
