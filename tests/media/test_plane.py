"""The values that pass between a plane and its worker."""

from media.plane import ControlDatagram, MissingVideo, PeerPacket, PlaneCounts
from media.transport.demux import DatagramKind


def test_a_plane_that_has_done_nothing_has_counted_nothing() -> None:
    counts = PlaneCounts()
    assert (dict(counts.datagrams), dict(counts.dropped), counts.unsent) == ({}, {}, 0)


def test_events_are_plain_tuples() -> None:
    """Native code builds them by position."""
    stun = ControlDatagram(DatagramKind.STUN, b"\0\1", ("127.0.0.1", 5))
    assert stun == (DatagramKind.STUN, b"\0\1", ("127.0.0.1", 5))
    assert PeerPacket(7, b"rtcp") == (7, b"rtcp")
    assert MissingVideo(0xB0, (1, 2)) == (0xB0, (1, 2))
