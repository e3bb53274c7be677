"""The native readers of formats say what the Python ones say, of any bytes."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from media.transport.demux import classify
from media.wire.keyframe import starts_keyframe
from media.wire.rtcp import (
    SDES,
    Nack,
    ReceiverReport,
    ReportBlock,
    RtcpError,
    build_bye,
    build_nack,
    build_pli,
    build_receiver_report,
    build_remb,
    build_sdes,
    parse_rtcp,
)
from tests.support.native import require_native

require_native()
from media import _native as native  # noqa: E402

# Bytes that mean something to one of the codecs, among bytes that may not.
MEANINGFUL = bytes.fromhex("00 01 05 07 08 0a 10 12 18 1c 2a 65 67 78 7c 80 82 85 88 90 9c b0 f0")
payloads = st.lists(st.one_of(st.sampled_from(MEANINGFUL), st.integers(0, 255)), max_size=24).map(
    bytes
)


@settings(max_examples=500)
@given(st.sampled_from(["h264", "vp8", "vp9", "av1", "opus"]), payloads)
@example("av1", bytes.fromhex("0880808080808080808001"))  # a length of more than 56 bits
@example("vp9", bytes.fromhex("0a08ff00"))
def test_keyframes_start_at_the_same_payloads(codec, payload):
    assert native.starts_keyframe(codec, payload) is starts_keyframe(codec, payload)


@given(st.binary(max_size=4))
def test_a_datagram_is_of_the_same_kind(datagram):
    assert native.classify(datagram) == classify(datagram)


def test_every_first_byte_is_of_the_same_kind():
    for first in range(256):
        for second in (0, 191, 192, 200, 223, 224, 255):
            datagram = bytes((first, second))
            assert native.classify(datagram) == classify(datagram)


BLOCK = ReportBlock(1, 2, 3, 4, 5, 6, 7)
sequences = st.lists(st.integers(0, 0xFFFF), max_size=20)
messages = st.one_of(
    st.builds(build_nack, st.integers(0, 9), st.integers(0, 2**32 - 1), sequences),
    st.builds(build_pli, st.integers(0, 9), st.integers(0, 9)),
    st.builds(build_receiver_report, st.just(1), st.lists(st.just(BLOCK), max_size=3)),
    st.builds(build_remb, st.just(1), st.integers(0, 2**40), st.just([1, 2])),
    st.builds(build_sdes, st.just([1]), st.just("someone")),
    st.builds(build_bye, st.lists(st.just(7), max_size=3)),
    st.just(bytes.fromhex("80cc0002 00000001 61626364")),  # APP
    st.just(  # transport-wide feedback on two packets
        bytes.fromhex("8fcd0005 00000001 00000002 00010002 00000100 20020101")
    ),
    st.just(bytes.fromhex("8fcd0005 00000001 00000002 0001000e 00000100 aaaad000")),
)


def padded(packet: bytes, size: int) -> bytes:
    """The same packet with padding (RFC 3550 §6.4.1) of `size` bytes."""
    words = (int.from_bytes(packet[2:4], "big") + size // 4).to_bytes(2, "big")
    return (
        bytes((packet[0] | 0x20, packet[1])) + words + packet[4:] + bytes(size - 1) + bytes((size,))
    )


compounds = st.lists(
    st.one_of(messages, st.builds(padded, messages, st.sampled_from([4, 8, 252]))), max_size=4
).map(b"".join)


@st.composite
def damaged(draw):
    """A compound packet with some bytes changed or cut off."""
    packet = bytearray(draw(compounds))
    for at in draw(st.lists(st.integers(0, max(len(packet) - 1, 0)), max_size=3)):
        if packet:
            packet[at] = draw(st.integers(0, 255))
    return bytes(packet[: draw(st.integers(0, len(packet)))])


def expected(packet: bytes):
    """What the Python reader makes of it, in the form of the native one."""
    try:
        found = parse_rtcp(packet)
    except RtcpError:
        return None
    return [(nack.media_ssrc, nack.sequences) for nack in found if isinstance(nack, Nack)]


@settings(max_examples=500)
@given(st.one_of(compounds, damaged(), st.binary(max_size=64)))
def test_compounds_are_walked_alike(packet):
    found = native.walk_rtcp(packet)
    assert (found[0] if found is not None else None) == expected(packet)


@given(compounds)
def test_what_is_handed_on_misses_nothing_that_python_hears(packet):
    heard = [
        message
        for message in parse_rtcp(packet)
        if not isinstance(message, Nack) and message != ReceiverReport(1, ())
    ]
    assert native.walk_rtcp(packet)[1] or not heard


def test_nacks_and_names_alone_are_not_handed_on():
    quiet = build_receiver_report(1, ()) + build_sdes([1], "x") + build_nack(1, 2, [3])
    assert quiet[5 + 4] == SDES
    assert native.walk_rtcp(quiet) == ([(2, (3,))], False)
    assert native.walk_rtcp(quiet + build_pli(1, 2)) == ([(2, (3,))], True)


def test_a_compound_longer_than_a_datagram_of_ours_is_refused():
    item = build_nack(1, 2, range(0, 17 * 400, 17))
    assert native.walk_rtcp(item) is not None
    assert native.walk_rtcp(item * 2) is None


def test_the_fullest_compound_has_room():
    nacks = build_nack(1, 2, range(17 * 500)) + build_nack(1, 2, [])
    packed = native.walk_rtcp(nacks)
    assert packed == ([(2, tuple(n & 0xFFFF for n in range(17 * 500))), (2, ())], False)
    empty = build_nack(1, 2, []) * 170
    assert len(native.walk_rtcp(empty)[0]) == 170
