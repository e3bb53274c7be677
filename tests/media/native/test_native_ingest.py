"""The native ingress relays, counts and asks for what the Python one does, whatever comes."""

import struct
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.relay.publisher_ingest import PublisherIngest
from media.relay.tracks import KINDS, TrackSpec
from media.wire.extensions import PASSED
from media.wire.rtcp import SenderReport
from tests.support.native import require_native

require_native()
from media import _native as native  # noqa: E402
from media.native_stream import native_spec  # noqa: E402

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


def one_byte(random: Random) -> tuple[int, bytes]:
    block = b""
    for _ in range(random.randrange(11)):
        size = random.randint(1, 16)
        block += bytes((random.randrange(16) << 4 | size - 1,)) + random.randbytes(size)
    return 0xBEDE, block


def two_byte(random: Random) -> tuple[int, bytes]:
    block = b""
    for _ in range(random.randrange(11)):
        size = random.randrange(21)
        block += bytes((random.choice((random.randrange(12), 200)), size)) + random.randbytes(size)
    return 0x1000 | random.randrange(16), block


def any_block(random: Random) -> tuple[int, bytes]:
    return random.choice((0xBEDE, 0x1000, 0x100F, 0xABAC)), random.randbytes(random.randrange(13))


def payload_of(random: Random) -> bytes:
    likely = (b"\x10\x00key", b"\x10\x01delta", b"", b"\0\5x", b"\0", bytes(1_200))
    return random.choice((*likely, random.randbytes(random.randrange(30))))


def step_of(random: Random) -> int:
    return random.randint(
        *random.choice(((1, 1), (1, 1), (-4, 6), (-1_100, 1_100), (-4_000, 4_000)))
    )


def packet_of(random: Random, at: dict[int, int]) -> bytes:
    """A packet; `at` holds where each payload type's numbers are, which go on."""
    payload_type = random.choice((96, 96, 96, 111, 97, 50))
    at[payload_type] = (at.get(payload_type, 65_500) + step_of(random)) & 0xFFFF
    payload = payload_of(random)
    if payload_type == 97 and random.random() < 0.8:  # it repeats a number near the media's
        payload = (at.get(96, 0) - random.randint(-3, 40) & 0xFFFF).to_bytes(2, "big") + payload
    csrcs, padding = random.choice((0, 0, 2)), random.choice((0, 0, 1, 3))
    build = random.choice((None, None, one_byte, one_byte, two_byte, any_block))
    packet = struct.pack(
        "!BBHII",
        0x80 | 0x20 * (padding > 0) | 0x10 * (build is not None) | csrcs,
        random.choice((0, 0x80)) | payload_type,
        at[payload_type],
        random.randrange(random.choice((9_000, 2**32))),
        random.choice(SSRCS[payload_type]),
    ) + bytes(4 * csrcs)
    if build is not None:
        profile, block = build(random)
        block += bytes(-len(block) % 4)
        packet += struct.pack("!HH", profile, len(block) // 4) + block
    packet += payload + (bytes(padding - 1) + bytes((padding,)) if padding else b"")
    return packet[: random.randrange(len(packet))] if random.random() < 0.05 else packet


PUBLISHERS = (
    VIDEO,
    AUDIO,
    replace(VIDEO, ssrc=None, rtx_payload_type=None, extensions=()),
    replace(VIDEO, codec="h264", ssrc=0xB1, payload_type=50),
    replace(AUDIO, ssrc=None),
)


def argument_of(name: str, random: Random, at: dict[int, int]) -> object:
    if name == "receive":
        return [packet_of(random, at) for _ in range(random.randrange(9))]
    if name == "set_publisher":
        return random.choices(PUBLISHERS, k=random.randrange(3))
    if name == "on_bye":
        return random.choices((0xB0, 0xA0, 1), k=random.randrange(3))
    if name == "on_sender_report":
        ntp = random.choice((0, 1, 7 << 32, 2**64 - 1))
        return SenderReport(random.choice((0xB0, 0xB1, 0xA0)), ntp, random.randrange(2**32), 0, 0)
    return None


def history_of(random: Random):
    """What happens to a stream: (name of a method, its argument or None, when)."""
    now, at = random.uniform(0, 1e6), {}
    yield "set_publisher", [VIDEO, AUDIO], now
    rare = ("missing", "reports", "set_publisher", "publisher_gone", "on_bye", "on_sender_report")
    for _ in range(60):
        now += random.uniform(0, random.choice((0.03, 0.03, 0.3, 4)))
        name = random.choice((*rare, "missing", "on_sender_report", *["receive"] * 24))
        yield name, argument_of(name, random, at), now


def call(ingest, name, argument, now):
    if name in ("missing", "reports"):
        return getattr(ingest, name)(now)
    if name == "publisher_gone":
        return ingest.publisher_gone()
    if name == "on_bye":
        return ingest.on_bye(argument)
    return getattr(ingest, name)(argument, now)


@settings(max_examples=300, deadline=None)
@given(st.randoms(use_true_random=True))
def test_both_do_the_same(random):
    python, compiled = PythonIngest(max_bitrate_bps=LIMIT_BPS), NativeIngest(LIMIT_BPS)
    for step in history_of(random):
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
        [packet(8, 0xB1, b"\x10\x01next"), packet(70, 0xB2, b"third"), packet(71, 0xB2, b"more")],
        0.2,
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


@pytest.mark.parametrize(("kind", "error"), [(2, ValueError), (-1, OverflowError)])
def test_a_kind_that_is_not_there_is_refused(kind, error):
    ingest = NativeIngest(1)
    for read in (ingest._native.media_ssrc, ingest._native.clock):
        with pytest.raises(error):
            read(kind)
