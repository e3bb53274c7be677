"""A packet read once: what of its header extension goes on."""

import pytest

from media.relay.arrival import read_arrival
from media.relay.tracks import TrackSpec
from media.wire.extensions import MAX_PASSED, Extension
from media.wire.header_extensions import write_extension
from media.wire.rtp import RtpError

IDS = ((3, Extension.VIDEO_ORIENTATION), (9, Extension.COLOR_SPACE), (200, Extension.AUDIO_LEVEL))
SPEC = TrackSpec("video", "vp8", 96, 1, None, None, 90_000, "1", IDS)


def extended(rtp, *elements: tuple[int, bytes]) -> bytes:
    packet = rtp(1, b"data")
    return b"\x90" + packet[1:12] + write_extension(elements) + packet[12:]


def test_what_was_named_goes_on_in_its_order(rtp) -> None:
    arrival = read_arrival(extended(rtp, (9, b"c"), (1, b"mid"), (3, b"o"), (200, b"")))
    assert arrival.payload == b"data"
    assert arrival.passed(SPEC) == (
        (Extension.COLOR_SPACE, b"c"),
        (Extension.VIDEO_ORIENTATION, b"o"),
        (Extension.AUDIO_LEVEL, b""),
    )


def test_only_so_many_go_on(rtp) -> None:
    arrival = read_arrival(extended(rtp, *[(3, bytes((n,))) for n in range(20)]))
    assert [value for _, value in arrival.passed(SPEC)] == [bytes((n,)) for n in range(MAX_PASSED)]


def test_without_an_extension_nothing_does(rtp) -> None:
    assert read_arrival(rtp(1)).passed(SPEC) == ()


def test_a_malformed_extension_refuses_the_packet(rtp) -> None:
    packet = bytearray(extended(rtp, (3, b"o")))
    packet[16] |= 0x0F  # sixteen bytes of value in three
    with pytest.raises(RtpError):
        read_arrival(bytes(packet))
