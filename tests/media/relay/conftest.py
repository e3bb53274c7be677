"""Publishers and viewers made of bytes: packets as they arrive, sinks that keep what is sent."""

import struct
from collections import Counter
from collections.abc import Sequence

import pytest

from config.media import MediaSettings
from media.relay.fanout import PythonFanout
from media.relay.publisher_ingest import PublisherIngest
from media.relay.python_stream import PythonStream, Routes
from media.relay.stream import StreamRelay
from media.relay.tracks import Address, TrackSpec, Viewer, ViewerTrack
from media.transport.srtp import SrtpKeys, SrtpProfile, SrtpReceiver
from media.wire.extensions import Extension
from media.wire.rtp import RtpHeader, parse_rtp

VP8_KEY, VP8_DELTA = b"\x10\x00key", b"\x10\x01delta"
AUDIO_SSRC, VIDEO_SSRC, RTX_SSRC = 0xA0, 0xB0, 0xC0
VIDEO = TrackSpec("video", "vp8", 96, VIDEO_SSRC, 97, RTX_SSRC, 90_000, "1")
AUDIO = TrackSpec("audio", "opus", 111, AUDIO_SSRC, None, None, 48_000, "0")


class Sink:
    """A `DatagramSender` that keeps what it takes; `room` limits how much that is."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Address]] = []
        self.room: float = float("inf")

    def send(self, datagrams: Sequence[bytes], address: Address) -> int:
        taken = int(min(self.room, len(datagrams)))
        self.room -= taken
        self.sent += [(datagram, address) for datagram in datagrams[:taken]]
        return taken


class TestViewer:
    """A viewer and the receiving end of it, which decrypts with libsrtp."""

    __test__ = False

    def __init__(
        self,
        number: int,
        profile: SrtpProfile,
        *,
        rtx: bool = False,
        extensions: tuple[tuple[Extension, int], ...] = (),
    ) -> None:
        size = profile.key_bytes + profile.salt_bytes
        local, remote = bytes(range(number, number + size)), bytes(range(100, 100 + size))
        self.number = number
        self.address = ("127.0.0.1", 10_000 + number)
        self.video_ssrc, self.audio_ssrc = 0xFFFFFF00 + number, 0x1000 + number
        self.rtx_ssrc = 0x77777F00 + number
        retransmission = (121, self.rtx_ssrc) if rtx else (None, None)
        self.viewer = Viewer(
            number,
            (
                ViewerTrack("video", 120, self.video_ssrc, *retransmission, extensions, "v"),
                ViewerTrack("audio", 109, self.audio_ssrc, None, None, extensions, "a"),
            ),
            SrtpKeys(profile, local, remote),
            self.address,
        )
        self._srtp = SrtpReceiver(SrtpKeys(profile, remote, local))

    def decrypt(self, datagrams: Sequence[bytes]) -> list[tuple[RtpHeader, bytes]]:
        """The packets of datagrams that libsrtp accepts, with their payloads."""
        packets = []
        for datagram in datagrams:
            packet = self._srtp.unprotect(datagram)
            assert packet is not None
            header = parse_rtp(packet)
            packets.append((header, packet[header.payload_start : header.payload_end]))
        return packets


class Stage:
    """A relay with its publisher and its viewers."""

    VIDEO, AUDIO = VIDEO, AUDIO
    KEY, DELTA = VP8_KEY, VP8_DELTA

    def __init__(self, *, cache_max_packets: int = 256) -> None:
        self.settings = MediaSettings()
        self.sink = Sink()
        self.fanout = PythonFanout(
            self.sink, cache_max_packets=cache_max_packets, cache_max_bytes=100_000, cache_s=1.5
        )
        ingest = PublisherIngest(max_bitrate_bps=self.settings.max_publisher_bitrate_bps)
        self.plane = PythonStream(1, self.fanout, ingest, Routes())
        self.dropped = Counter[str]()
        self.relay = StreamRelay(
            self.plane, settings=self.settings, cname="stage", dropped=self.dropped
        )
        self.viewers: list[TestViewer] = []

    def viewer(
        self,
        now: float = 0.0,
        profile: SrtpProfile = SrtpProfile.AEAD_AES_128_GCM,
        *,
        rtx: bool = False,
        extensions: tuple[tuple[Extension, int], ...] = (),
    ) -> TestViewer:
        """One more viewer, added."""
        viewer = TestViewer(len(self.viewers) + 1, profile, rtx=rtx, extensions=extensions)
        self.viewers.append(viewer)
        self.relay.add_viewer(viewer.viewer, now)
        return viewer

    def take(self, viewer: TestViewer) -> list[tuple[RtpHeader, bytes]]:
        """What was sent to `viewer` since the last time, decrypted."""
        mine = [datagram for datagram, address in self.sink.sent if address == viewer.address]
        self.sink.sent = [sent for sent in self.sink.sent if sent[1] != viewer.address]
        return viewer.decrypt(mine)


def build_rtp(
    sequence: int,
    payload: bytes = VP8_DELTA,
    *,
    timestamp: int = 0,
    ssrc: int = VIDEO_SSRC,
    payload_type: int = 96,
    marker: bool = False,
) -> bytes:
    """A plain RTP packet."""
    second = 0x80 * marker | payload_type
    return struct.pack("!BBHII", 0x80, second, sequence & 0xFFFF, timestamp, ssrc) + payload


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture(scope="session")
def new_stage() -> type[Stage]:
    return Stage


@pytest.fixture(scope="session")
def rtp():
    return build_rtp
