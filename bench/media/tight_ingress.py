"""The native plane's thread with a publisher and no viewers: what it costs to take a packet in.

A few seconds of the stream come over loopback as fast as the publisher can send them, in its
bursts. CPU time is the thread's: waiting, reading, decrypting and putting in order.
"""

import asyncio
import socket

from bench.media.stream import (
    AUDIO_PAYLOAD_TYPE,
    AUDIO_SSRC,
    VIDEO_PAYLOAD_TYPE,
    VIDEO_SSRC,
    Publisher,
)
from config.media import MediaSettings
from media.native_plane import NativePlane
from media.plane import ControlDatagram
from media.relay.tracks import TrackSpec
from media.session import Role
from media.transport.srtp import SrtpKeys, SrtpSender

SECONDS = 10
LAST = b"\0\1the last datagram"

VIDEO = TrackSpec("video", "h264", VIDEO_PAYLOAD_TYPE, VIDEO_SSRC, None, None, 90_000, "0")
AUDIO = TrackSpec("audio", "opus", AUDIO_PAYLOAD_TYPE, AUDIO_SSRC, None, None, 48_000, "1")


class UntilLast:
    """A `PlaneListener` that waits for the datagram after which nothing comes."""

    def __init__(self) -> None:
        self.came = asyncio.Event()

    def on_control(self, datagrams: list[ControlDatagram], now: float) -> None:
        if any(each.datagram == LAST for each in datagrams):
            self.came.set()

    def on_rtcp(self, packets: object, now: float) -> None:
        """Nobody sends any."""

    def on_attention(self, streams: object, now: float) -> None:
        """Nobody watches."""


async def ingest_us(keys: SrtpKeys) -> float:
    """CPU µs for each packet. Raises SystemExit where some got lost."""
    listener = UntilLast()
    plane = NativePlane(MediaSettings(udp_port=0, max_publisher_bitrate_bps=10**9))
    plane.open(listener)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.connect(("127.0.0.1", plane.port))
        plane.add_peer(1, Role.PUBLISHER, keys, [sock.getsockname()])
        stream = plane.stream(1)
        stream.set_publisher(1, [VIDEO, AUDIO], 0.0)
        sender = SrtpSender(SrtpKeys(keys.profile, keys.remote, keys.local))
        publisher = Publisher()
        packets = [
            sender.protect(packet)
            for _ in range(SECONDS)
            for batch in publisher.second()
            for packet in batch
        ]
        cpu = plane.cpu_s
        for packet in packets:
            sock.send(packet)
        sock.send(LAST)
        await asyncio.wait_for(listener.came.wait(), 30)
        cpu = plane.cpu_s - cpu
    taken = sum(track.packets for track in stream.stats(0.0))
    plane.close()
    if taken != len(packets):
        raise SystemExit(f"{taken} packets were taken in of {len(packets)}")
    return cpu * 1e6 / len(packets)
