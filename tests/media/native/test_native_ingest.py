"""The native ingress relays, counts and asks for what the Python one does, whatever comes."""

import struct
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.relay.publisher_ingest import PublisherIngest
from media.relay.tracks import KINDS, TrackSpec
from media.wire.extensions import PASSED
from media.wire.rtcp import SenderReport

native = pytest.importorskip("media._native")
from media.native_stream import native_spec  # noqa: E402  it imports the native module

LIMIT_BPS = 200_000
PASSED_BY_ID = tuple((at + 1, extension) for at, extension in enumerate(PASSED))
VIDEO = TrackSpec("video", "vp8", 96, 0xB0, 97, 0xC0, 90_000, "1", PASSED_BY_ID)
AUDIO = TrackSpec("audio", "opus", 111, 0xA0, None, None, 48_000, "0", PASSED_BY_ID[:1])
SSRCS = {96: [0xB0, 0xB0, 0xB0, 0xB1], 97: [0xC0], 111: [0xA0, 0xA0, 0xA1], 50: [0xB0, 0xA0, 9]}


class NativeIngest:
    """The native ingress in the shape of the Python one, with plain tuples for its values."""

    def __init__(self, max_bitrate_bps: int) -> None:
        self._native = native.Ingest(max_bitrate_bps)

    def set_publisher(self, specs, now):
        self._native.set_publisher(tuple(map(native_spec, specs)), now)

    def on_sender_report(self, report, now):
        self._native.on_sender_report(report.ssrc, report.ntp, report.rtp_timestamp, now)

    def on_bye(self, ssrcs):
        for ssrc in ssrcs:
            self._native.on_bye(ssrc)

    def __getattr__(self, name):
        return getattr(self._native, name)

    def facts(self, now):
        kinds = range(len(KINDS))
        ssrcs = [self._native.media_ssrc(kind) for kind in kinds]
        clocks = [self._native.clock(kind) for kind in kinds]
        stats = [(KINDS[kind], *rest) for kind, *rest in self._native.stats(now)]
        return self._native.totals(), ssrcs, clocks, stats


class PythonIngest(PublisherIngest):
    """The specification, with the same plain tuples."""

    def receive(self, packets, now):
        return [
            (
                KINDS.index(packet.kind),
                *packet[1:6],
                tuple((extension.number, value) for extension, value in packet.extensions),
            )
            for packet in super().receive(packets, now)
        ]

    def reports(self, now):
        return tuple(map(tuple, super().reports(now)))

    def missing(self, now):
        missing = super().missing(now)
        return tuple(missing) if missing is not None else None

    def facts(self, now):
        clocks = [self.clock(kind) for kind in KINDS]
        stats = [(s.kind, s.codec, s.bitrate_bps, s.packets, s.lost) for s in self.stats(now)]
        return (
            (self.refused, self.over_bitrate, self.keyframes),
            [self.media_ssrc(kind) for kind in KINDS],
            [tuple(clock) if clock is not None else None for clock in clocks],
            stats,
        )


def one_byte(elements):
    block = b"".join(bytes((key << 4 | len(value) - 1,)) + value for key, value in elements)
    return 0xBEDE, block


def two_byte(elements):
    return 0x1000, b"".join(bytes((key, len(value))) + value for key, value in elements)


blocks = st.one_of(
    st.none(),
    st.lists(st.tuples(st.integers(0, 15), st.binary(min_size=1, max_size=16)), max_size=10).map(
        one_byte
    ),
    st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=20)), max_size=10).map(two_byte),
    st.tuples(st.sampled_from([0xBEDE, 0x1000, 0x100F, 0xABAC]), st.binary(max_size=12)),
)
payloads = st.one_of(
    st.sampled_from([b"\x10\x00key", b"\x10\x01delta", b"", b"\0\5x", b"\0"]),
    st.binary(max_size=30),
    st.just(bytes(1_200)),
)
steps_of_sequence = st.one_of(
    st.integers(-4, 6), st.integers(-1_100, 1_100), st.integers(-4_000, 4_000), st.just(0)
)


@st.composite
def packets(draw, at):
    """A packet; `at` holds where each payload type's numbers are, which goes on."""
    payload_type = draw(st.sampled_from([96, 96, 96, 111, 97, 50]))
    at[payload_type] = (at.get(payload_type, 65_500) + draw(steps_of_sequence)) & 0xFFFF
    payload = draw(payloads)
    if payload_type == 97:  # it repeats a number near those of the media
        original = (at.get(96, 0) - draw(st.integers(-3, 40))) & 0xFFFF
        payload = draw(st.sampled_from([original.to_bytes(2, "big") + payload, payload]))
    block, csrcs, padding = draw(blocks), draw(st.integers(0, 2)), draw(st.integers(0, 3))
    first = 0x80 | 0x20 * (padding > 0) | 0x10 * (block is not None) | csrcs
    packet = struct.pack(
        "!BBHII",
        first,
        0x80 * draw(st.booleans()) | payload_type,
        at[payload_type],
        draw(st.one_of(st.integers(0, 2**32 - 1), st.integers(0, 9_000))),
        draw(st.sampled_from(SSRCS[payload_type])),
    ) + bytes(4 * csrcs)
    if block is not None:
        profile, data = block
        data += bytes(-len(data) % 4)
        packet += struct.pack("!HH", profile, len(data) // 4) + data
    packet += payload + (bytes(padding - 1) + bytes((padding,)) if padding else b"")
    return packet[: draw(st.sampled_from([len(packet)] * 9 + [draw(st.integers(0, len(packet)))]))]


publishers = st.lists(
    st.sampled_from(
        [
            VIDEO,
            AUDIO,
            replace(VIDEO, ssrc=None, rtx_payload_type=None, extensions=()),
            replace(VIDEO, codec="h264", ssrc=0xB1, payload_type=50),
            replace(AUDIO, ssrc=None),
        ]
    ),
    max_size=2,
)
reports = st.builds(
    SenderReport,
    st.sampled_from([0xB0, 0xB1, 0xA0, 7]),
    st.sampled_from([0, 1, 7 << 32, 2**64 - 1]),
    st.integers(0, 2**32 - 1),
    st.just(0),
    st.just(0),
)


@st.composite
def histories(draw):
    """What happens to a stream: (name of a method, its argument or None, when)."""
    now, at = draw(st.floats(0, 1e6)), {}
    history = [("set_publisher", [VIDEO, AUDIO], now)]
    for _ in range(draw(st.integers(1, 14))):
        now += draw(st.one_of(st.floats(0, 0.03), st.floats(0, 4)))
        name = draw(
            st.sampled_from(
                ["receive"] * 8
                + ["missing", "reports", "set_publisher", "publisher_gone", "on_bye"]
                + ["on_sender_report"]
            )
        )
        argument = None
        if name == "receive":
            argument = draw(st.lists(packets(at), max_size=8))
        elif name == "set_publisher":
            argument = draw(publishers)
        elif name == "on_bye":
            argument = draw(st.lists(st.sampled_from([0xB0, 0xA0, 1]), max_size=2))
        elif name == "on_sender_report":
            argument = draw(reports)
        history.append((name, argument, now))
    return history


def call(ingest, name, argument, now):
    if name in ("missing", "reports"):
        return getattr(ingest, name)(now)
    if name == "publisher_gone":
        return ingest.publisher_gone()
    if name == "on_bye":
        return ingest.on_bye(argument)
    return getattr(ingest, name)(argument, now)


@settings(max_examples=400, deadline=None)
@given(histories())
def test_both_do_the_same(history):
    python, compiled = PythonIngest(max_bitrate_bps=LIMIT_BPS), NativeIngest(LIMIT_BPS)
    for step in history:
        assert call(compiled, *step) == call(python, *step)
        assert compiled.facts(step[2]) == python.facts(step[2])


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_both_ask_for_the_same_of_long_losses(data):
    python, compiled = PythonIngest(max_bitrate_bps=10**9), NativeIngest(10**9)
    now, sequence = 5.0, 65_000
    for ingest in (python, compiled):
        ingest.set_publisher([VIDEO], now)
    for _ in range(60):
        now += data.draw(st.sampled_from([0.001, 0.011, 0.05, 0.2]))
        sequence += data.draw(st.sampled_from([1, 1, 2, 9, 200, 700, -5]))
        packet = struct.pack("!BBHII", 0x80, 96, sequence & 0xFFFF, 0, 0xB0) + b"\x10\x01x"
        assert compiled.receive([packet], now) == python.receive([packet], now)
        assert compiled.missing(now) == python.missing(now)
    assert compiled.reports(now) == python.reports(now)


def test_a_packet_longer_than_any_frame_is_refused():
    ingest = NativeIngest(10**9)
    ingest.set_publisher([VIDEO], 0.0)
    header = struct.pack("!BBHII", 0x80, 96, 1, 0, 0xB0)
    assert len(ingest.receive([header + bytes(2_048 - 12)], 0.0)) == 1
    assert ingest.receive([header + bytes(2_048 - 11)], 0.0) == []
    assert ingest.totals()[0] == 1


def test_a_stranger_s_bytes_outlive_their_batch():
    """The first packet of another source waits for the next, which comes in a later batch."""
    ingest = NativeIngest(10**9)
    ingest.set_publisher([VIDEO], 0.0)

    def packet(sequence, ssrc, payload):
        return struct.pack("!BBHII", 0x80, 96, sequence, 0, ssrc) + payload

    assert len(ingest.receive([packet(1, 0xB0, b"\x10\x01own")], 0.0)) == 1
    assert ingest.receive([packet(7, 0xB1, b"\x10\x00first")], 0.1) == []
    relayed = ingest.receive(
        [packet(8, 0xB1, b"\x10\x01next"), packet(70, 0xB2, b"third"), packet(71, 0xB2, b"more")], 0.2
    )
    assert [each[5] for each in relayed] == [b"\x10\x00first", b"\x10\x01next", b"third", b"more"]


@pytest.mark.parametrize(
    "spec",
    [
        replace(VIDEO, payload_type=128),
        replace(VIDEO, rtx_payload_type=128),
        replace(VIDEO, ssrc=2**32),
        replace(VIDEO, codec="a codec of a very long name"),
    ],
)
def test_tracks_that_can_t_be_are_refused(spec):
    with pytest.raises(ValueError):
        NativeIngest(1).set_publisher([spec], 0.0)


def test_more_tracks_or_packets_than_there_is_room_for_are_refused():
    ingest = NativeIngest(1)
    with pytest.raises(ValueError, match="one track of a kind"):
        ingest.set_publisher([VIDEO, AUDIO, VIDEO], 0.0)
    with pytest.raises(ValueError, match="more packets"):
        ingest.receive([b""] * 257, 0.0)
