"""Peers of a native plane over real loopback sockets, with keys agreed beforehand."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from itertools import count

from config.media import MediaSettings
from media.native_plane import NativePlane
from media.native_stream import NativeStream
from media.plane import ControlDatagram, PeerPacket
from media.relay.tracks import Address, TrackSpec, Viewer, ViewerTrack
from media.session import Role
from media.transport.srtp import SrtpKeys, SrtpProfile, SrtpReceiver, SrtpSender
from media.wire.rtp import RtpHeader, parse_rtp

VIDEO = TrackSpec("video", "vp8", 96, 0xB0, 97, 0xC0, 90_000, "1")
AUDIO = TrackSpec("audio", "opus", 111, 0xA0, None, None, 48_000, "0")
KEY, DELTA = b"\x10\x00key", b"\x10\x01delta"
PATIENCE_S = 20.0


def rtp(
    sequence: int, payload: bytes = DELTA, *, ssrc: int = 0xB0, payload_type: int = 96
) -> bytes:
    """A plain RTP packet."""
    return struct.pack("!BBHII", 0x80, payload_type, sequence & 0xFFFF, 0, ssrc) + payload


class Listener:
    """A `PlaneListener` that keeps what it is told, and can be waited on."""

    def __init__(self) -> None:
        self.control: list[ControlDatagram] = []
        self.turns: list[Sequence[ControlDatagram]] = []
        self.rtcp: list[PeerPacket] = []
        self.attention: list[int] = []
        self._told = asyncio.Condition()

    def on_control(self, datagrams: Sequence[ControlDatagram], now: float) -> None:
        self.control += datagrams
        self.turns.append(datagrams)
        self._tell()

    def on_rtcp(self, packets: Sequence[PeerPacket], now: float) -> None:
        self.rtcp += packets
        self._tell()

    def on_attention(self, streams: Collection[int], now: float) -> None:
        self.attention += streams
        self._tell()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something was told after which this is so."""
        async with self._told:
            await asyncio.wait_for(self._told.wait_for(is_so), PATIENCE_S)

    def _tell(self) -> None:
        async def tell() -> None:
            async with self._told:
                self._told.notify_all()

        self._telling = asyncio.get_running_loop().create_task(tell())


class PlanePeer:
    """A socket with keys; `number` is the plane's name for it."""

    def __init__(self, number: int, plane: Address, profile: SrtpProfile) -> None:
        size = profile.key_bytes + profile.salt_bytes
        local, remote = bytes([number & 0xFF]) * size, bytes([128 + (number & 0x7F)]) * size
        self.number = number
        self.keys = SrtpKeys(profile, local, remote)
        self.video_ssrc, self.audio_ssrc = 0x1000 + number, 0x2000 + number
        theirs = SrtpKeys(profile, remote, local)
        self.out, self._in = SrtpSender(theirs), SrtpReceiver(theirs)
        self._plane = plane
        family = socket.AF_INET6 if ":" in plane[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind((plane[0], 0))
        self.socket.setblocking(False)

    @property
    def address(self) -> Address:
        host, port, *_ = self.socket.getsockname()
        return host, port

    def send(self, *packets: bytes) -> None:
        """Encrypt RTP packets and send them."""
        for packet in packets:
            self.send_raw(self.out.protect(packet))

    def send_rtcp(self, packet: bytes) -> None:
        self.send_raw(self.out.protect_rtcp(packet))

    def send_raw(self, datagram: bytes) -> None:
        self.socket.sendto(datagram, self._plane)

    async def datagram(self) -> bytes:
        """The next datagram as it came."""
        loop = asyncio.get_running_loop()
        return await asyncio.wait_for(loop.sock_recv(self.socket, 65_535), PATIENCE_S)

    async def packet(self) -> tuple[RtpHeader, bytes]:
        """The next RTP packet, decrypted by libsrtp, and its payload."""
        packet = self._in.unprotect(await self.datagram())
        assert packet is not None
        header = parse_rtp(packet)
        return header, packet[header.payload_start : header.payload_end]

    async def payloads(self, wanted: int) -> list[bytes]:
        """The payloads of the next packets."""
        return [(await self.packet())[1] for _ in range(wanted)]

    async def rtcp(self) -> bytes:
        """The next RTCP packet, decrypted."""
        packet = self._in.unprotect_rtcp(await self.datagram())
        assert packet is not None
        return packet

    def viewer(self) -> Viewer:
        """It as a viewer of picture and sound."""
        tracks = (
            ViewerTrack("video", 120, self.video_ssrc),
            ViewerTrack("audio", 109, self.audio_ssrc),
        )
        return Viewer(self.number, tracks, self.keys, self.address)


class PlaneStage:
    """An open plane with one stream; made in a running event loop."""

    def __init__(self, **settings: object) -> None:
        self.listener = Listener()
        self._settings = MediaSettings(**{"udp_port": 0, **settings})  # type: ignore[arg-type]
        self.plane = NativePlane(self._settings)
        self.plane.open(self.listener)
        self.stream: NativeStream = self.plane.stream(1)
        self._numbers = count(1)
        self._peers: list[PlanePeer] = []
        self._bystander = self._peer(SrtpProfile.AEAD_AES_128_GCM)

    def publisher(self, profile: SrtpProfile = SrtpProfile.AEAD_AES_128_GCM) -> PlanePeer:
        """The stream's publisher from now on."""
        peer = self._peer(profile)
        self.plane.add_peer(peer.number, Role.PUBLISHER, peer.keys, [peer.address])
        self.stream.set_publisher(peer.number, [VIDEO, AUDIO], asyncio.get_running_loop().time())
        return peer

    def viewer(self, profile: SrtpProfile = SrtpProfile.AEAD_AES_128_GCM) -> PlanePeer:
        """One more viewer of the stream."""
        peer = self._peer(profile)
        self.plane.add_peer(peer.number, Role.VIEWER, peer.keys, [peer.address])
        self.stream.add_viewer(peer.viewer(), asyncio.get_running_loop().time())
        return peer

    def stranger(self) -> PlanePeer:
        """A socket of nobody's."""
        return self._peer(SrtpProfile.AEAD_AES_128_GCM)

    async def settled(self) -> None:
        """Wait until all that was sent before has been handled: it was read before this check.

        What is read at once with a check may be relayed after the check was told: hence two.
        """
        for _ in range(2):
            await self._check()

    async def _check(self) -> None:
        before = len(self.listener.control)
        self._bystander.send_raw(b"\0\1settled")
        await self.listener.until(
            lambda: any(c.datagram == b"\0\1settled" for c in self.listener.control[before:])
        )

    def dropped(self) -> dict[str, int]:
        return dict(self.plane.counts().dropped)

    def close(self) -> None:
        self.plane.close()
        for peer in self._peers:
            peer.socket.close()

    def _peer(self, profile: SrtpProfile) -> PlanePeer:
        address = self._settings.bind_host, self.plane.port
        self._peers.append(PlanePeer(next(self._numbers), address, profile))
        return self._peers[-1]


@asynccontextmanager
async def plane_stages() -> AsyncIterator[Callable[..., PlaneStage]]:
    """Makes stages with changed settings, and closes them in the end."""
    stages: list[PlaneStage] = []

    def make(**settings: object) -> PlaneStage:
        stages.append(PlaneStage(**settings))
        return stages[-1]

    yield make
    for stage in stages:
        stage.close()
