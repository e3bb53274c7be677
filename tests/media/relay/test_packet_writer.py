"""A viewer's packet byte by byte: header, extensions in their order, what two writes share."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.relay.packet_writer import (
    TransportSequence,
    abs_send_time,
    is_stamped,
    packet_writer,
)
from media.relay.tracks import RelayPacket, ViewerTrack
from media.transport.srtp import SrtpKeys, SrtpProfile, SrtpReceiver
from media.wire.extensions import PASSED, STAMPED, Extension
from media.wire.header_extensions import header_extensions
from media.wire.rtp import parse_rtp

KEYS = SrtpKeys(SrtpProfile.AEAD_AES_128_GCM, bytes(range(28)), bytes(28))
SSRC = 0xFFFFFFFE


def track(*extensions: tuple[Extension, int], mid: str = "1") -> ViewerTrack:
    return ViewerTrack("video", 96, SSRC, None, None, extensions, mid)


def packet(*extensions: tuple[Extension, bytes]) -> RelayPacket:
    return RelayPacket("video", 7, 5, True, True, b"payload", extensions)


def writer(viewer_track: ViewerTrack, transport: TransportSequence | None = None):
    return packet_writer(
        viewer_track,
        payload_type=96,
        ssrc=SSRC,
        keys=KEYS,
        transport=transport or TransportSequence(),
    )


def decrypted(datagram: bytes) -> bytes:
    """What libsrtp makes of it."""
    plain = SrtpReceiver(SrtpKeys(KEYS.profile, KEYS.remote, KEYS.local)).unprotect(datagram)
    assert plain is not None
    return plain


def test_without_extensions_there_is_none() -> None:
    plain = decrypted(writer(track())(packet((Extension.AUDIO_LEVEL, b"x")), b"data", 9, 0.0))
    assert plain == struct.pack("!BBHII", 0x80, 0xE0, 9, 3, SSRC) + b"data"


def test_stamps_come_first_and_the_packets_own_after_them() -> None:
    agreed = track(
        (Extension.AUDIO_LEVEL, 7),
        (Extension.TRANSPORT_SEQUENCE, 5),
        (Extension.ABS_SEND_TIME, 2),
        (Extension.MID, 9),
        (Extension.COLOR_SPACE, 1),
        mid="v0",
    )
    sent = packet(
        (Extension.COLOR_SPACE, b"c"),
        (Extension.PLAYOUT_DELAY, b"p"),
        (Extension.AUDIO_LEVEL, b"l"),
    )
    plain = decrypted(writer(agreed)(sent, b"data", 1, 1.5))
    header = parse_rtp(plain)
    assert plain[0] == 0x90
    assert list(header_extensions(header)) == [
        (9, b"v0"),
        (2, b"\x06\0\0"),
        (5, b"\0\0"),
        (1, b"c"),
        (7, b"l"),
    ]
    assert plain.endswith(b"data")


def test_nothing_to_say_is_no_extension() -> None:
    plain = decrypted(writer(track((Extension.AUDIO_LEVEL, 7)))(packet(), b"data", 1, 0.0))
    assert plain[0] == 0x80


def test_transport_sequence_counts_on_over_the_wrap_and_across_tracks() -> None:
    transport = TransportSequence()
    agreed = track((Extension.TRANSPORT_SEQUENCE, 5))
    first, second = writer(agreed, transport), writer(agreed, transport)
    for _ in range(0xFFFF):
        transport.take()
    seen = [
        next(header_extensions(parse_rtp(decrypted(write(packet(), b"", index, 0.0)))))
        for index, write in ((1, first), (2, second), (3, first))
    ]
    assert seen == [(5, b"\xff\xff"), (5, b"\0\0"), (5, b"\0\1")]


def test_abs_send_time_wraps_every_64_seconds() -> None:
    assert abs_send_time(0.0) == abs_send_time(64.0) == b"\0\0\0"
    assert abs_send_time(64.25) == b"\x01\0\0"
    assert abs_send_time(63.9999999) == b"\xff\xff\xff"


@pytest.mark.parametrize(
    "impossible",
    [
        track((Extension.MID, 1), (Extension.MID, 2)),
        track((Extension.MID, 1), mid="m" * 33),
    ],
)
def test_what_cannot_be_written_is_refused(impossible: ViewerTrack) -> None:
    with pytest.raises(ValueError, match="twice, or a MID"):
        writer(impossible)


def test_only_moments_and_counts_are_stamps() -> None:
    assert is_stamped(track((Extension.ABS_SEND_TIME, 1)))
    assert is_stamped(track((Extension.MID, 1), (Extension.TRANSPORT_SEQUENCE, 2)))
    assert not is_stamped(track((Extension.MID, 1), (Extension.VIDEO_ORIENTATION, 2)))


agreements = st.dictionaries(st.sampled_from(list(Extension)), st.integers(1, 255)).filter(
    lambda ids: len(set(ids.values())) == len(ids)
)
own = st.lists(st.tuples(st.sampled_from(PASSED), st.binary(max_size=100)), max_size=8)


@given(agreements, own, st.sampled_from(list(SrtpProfile)), st.integers(0, 2**40))
def test_libsrtp_reads_what_was_agreed(ids, values, profile, index) -> None:
    size = profile.key_bytes + profile.salt_bytes
    keys = SrtpKeys(profile, bytes(range(size)), bytes(size))
    write = packet_writer(
        track(*ids.items()), payload_type=96, ssrc=SSRC, keys=keys, transport=TransportSequence()
    )
    datagram = write(packet(*values), b"data", index & 0xFFFF, 3.0)
    receiver = SrtpReceiver(SrtpKeys(profile, keys.remote, keys.local))
    plain = receiver.unprotect(datagram)
    expected = [
        (ids[name], value)
        for name, value in zip(STAMPED, (b"1", abs_send_time(3.0), b"\0\0"), strict=True)
        if name in ids
    ] + [(ids[name], value) for name, value in values if name in ids]
    assert plain is not None
    assert list(header_extensions(parse_rtp(plain))) == expected


@given(own, st.integers(0, 2**47))
def test_without_a_stamp_a_packet_is_the_same_bytes_for_ever(values, index) -> None:
    agreed = track((Extension.MID, 1), (Extension.AUDIO_LEVEL, 2), (Extension.COLOR_SPACE, 16))
    write = writer(agreed)
    first = write(packet(*values), b"data", index, 1.0)
    write(packet(), b"other", index + 1, 1.5)
    assert write(packet(*values), b"data", index, 2.0) == first
