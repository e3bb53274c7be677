"""The data plane in C: a thread that does everything that happens once a packet (media/native/).

The event loop sends it commands and takes what it has to say; neither waits for the other. What
the thread knows of peers and viewers by reference, this side knows by number.
"""

import asyncio
import secrets
import weakref
from collections.abc import Sequence
from typing import Final

from config.media import MediaSettings
from media import _native
from media.native_stream import NativePeers, NativeStream, native_peer
from media.plane import ControlDatagram, PeerPacket, PlaneCounts, PlaneListener
from media.relay.relay_times import RelayTimes
from media.relay.tracks import Address
from media.session import Role
from media.transport.demux import DatagramKind
from media.transport.srtp import SrtpKeys
from media.transport.udp import UdpSocket

_SEED_BYTES: Final = 16
_DATAGRAMS_A_TURN: Final = 8
_CONTROL_KINDS: Final = (DatagramKind.STUN, DatagramKind.DTLS)  # as demux.h numbers them


class NativePlane:
    """A `DataPlane` whose work is done by `media._native.Plane`."""

    kind = "native"

    def __init__(self, settings: MediaSettings) -> None:
        self._settings = settings
        self._socket = UdpSocket(settings.bind_host, settings.udp_port)
        self._peers = NativePeers()
        self._streams: dict[int, NativeStream] = {}
        self._unsent = 0
        self._control: list[tuple[int, bytes, Address]] = []
        self._rtcp: list[tuple[int, bytes]] = []
        """Both taken from the thread, and not yet told to the listener."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: weakref.finalize[..., NativePlane] | None = None

    @property
    def port(self) -> int:
        return self._socket.port

    def open(self, listener: PlaneListener) -> None:
        settings = self._settings
        self._socket.bind()
        self._native = _native.Plane(
            self._socket.raw.fileno(),
            seed=secrets.token_bytes(_SEED_BYTES),
            cache_max_packets=settings.cache_max_packets,
            cache_max_bytes=settings.cache_max_bytes,
            cache_s=settings.cache_s,
            max_viewers=settings.max_viewers,
            resends_per_s=settings.resend_packets_per_s,
            max_publisher_bitrate_bps=settings.max_publisher_bitrate_bps,
        )
        # The thread must be gone before the interpreter is, whoever forgets to close.
        self._stop = weakref.finalize(self, self._native.close)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._native.event_fd, self._hear, listener)

    def close(self) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.remove_reader(self._native.event_fd)
            self._loop = None
            self._stop()
        self._socket.close()

    def send(self, datagram: bytes, address: Address) -> bool:
        went = self._native.send(datagram, address)
        self._unsent += not went
        return went

    def add_peer(
        self,
        peer: int,
        role: Role,
        keys: SrtpKeys,
        addresses: Sequence[Address],
        ssrcs: Sequence[int] = (),
    ) -> None:
        if peer in self._peers.by_number or not addresses:
            raise ValueError("a peer has a number of its own and an address")
        self._peers.by_number[peer] = added = native_peer(peer, keys, role)
        self._native.add_peer(added)
        for address in addresses:
            for ssrc in ssrcs or (0,):
                self._native.bind(added, address, ssrc)
        self._native.select(added, addresses[-1])

    def bind(self, peer: int, address: Address) -> None:
        if (bound := self._peers.by_number.get(peer)) is not None:
            self._native.bind(bound, address)

    def unbind(self, peer: int, address: Address) -> None:
        if (bound := self._peers.by_number.get(peer)) is not None:
            self._native.unbind(bound, address)

    def select(self, peer: int, address: Address) -> None:
        if (selecting := self._peers.by_number.get(peer)) is not None:
            self._native.select(selecting, address)

    def remove_peer(self, peer: int) -> None:
        if (stream := self._peers.watched.get(peer)) is not None:
            stream.remove_viewer(peer)
        if (removed := self._peers.by_number.pop(peer, None)) is not None:
            self._native.remove_peer(removed)

    def heard_at(self, peer: int) -> float:
        heard = self._peers.by_number.get(peer)
        return heard.heard_at if heard is not None else float("-inf")

    def send_rtcp(self, peer: int, packet: bytes) -> None:
        if (receiver := self._peers.by_number.get(peer)) is not None:
            self._unsent += not self._native.send_rtcp(receiver, packet)

    def stream(self, number: int) -> NativeStream:
        if number in self._streams:
            raise ValueError(f"stream {number} is there already")
        stream = self._streams[number] = NativeStream(
            _native.Stream(self._native, number),
            self._peers,
            on_closed=lambda: self._streams.pop(number, None),
        )
        return stream

    def counts(self) -> PlaneCounts:
        if self._stop is None:  # not opened yet
            return PlaneCounts()
        datagrams, dropped = self._native.counts()
        return PlaneCounts(datagrams, dropped, self._unsent)

    @property
    def cpu_s(self) -> float:
        """CPU time that the thread has used, the kernel's work on its behalf included."""
        return self._native.cpu_s

    def relay_times(self) -> RelayTimes:
        if self._stop is None:  # not opened yet
            return RelayTimes()
        return RelayTimes(*self._native.relay_times())

    def _hear(self, listener: PlaneListener) -> None:
        """The thread has something to say."""
        self._native.hear()
        if not self._control and not self._rtcp:  # otherwise a turn is to come anyway
            self._turn(listener)

    def _turn(self, listener: PlaneListener) -> None:
        """Hand on a few datagrams: however many there are, the loop gets time for other work."""
        if self._loop is None:
            return
        was_behind = bool(self._control or self._rtcp)
        control = self._control or self._native.take_control()
        rtcp, attention = (self._rtcp, []) if self._rtcp else self._native.take_feedback()
        self._control, self._rtcp = control[_DATAGRAMS_A_TURN:], rtcp[_DATAGRAMS_A_TURN:]
        if was_behind or self._control or self._rtcp:  # the thread may have said more meanwhile
            self._loop.call_soon(self._turn, listener)
        now = self._loop.time()
        if control:
            datagrams = [
                ControlDatagram(_CONTROL_KINDS[kind], datagram, address)
                for kind, datagram, address in control[:_DATAGRAMS_A_TURN]
            ]
            listener.on_control(datagrams, now)
        if rtcp:
            listener.on_rtcp([PeerPacket(*packet) for packet in rtcp[:_DATAGRAMS_A_TURN]], now)
        if attention:
            listener.on_attention(set(attention), now)
