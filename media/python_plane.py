"""The data plane in Python: the specification of `DataPlane`, and the fallback.

Each read of the socket is one batch. What controls sessions (STUN, DTLS) is handled first, so that
media which came right behind a handshake finds its keys.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from config.media import MediaSettings
from media.plane import ControlDatagram, PeerPacket, PlaneCounts, PlaneListener
from media.relay.datagrams import DatagramSender
from media.relay.fanout import PythonFanout
from media.relay.publisher_ingest import PublisherIngest
from media.relay.python_stream import PythonStream, Routes
from media.relay.relay_times import RelayTimes
from media.relay.tracks import Address
from media.session import Role
from media.transport.demux import DatagramKind, classify, ssrc_of
from media.transport.srtp import SrtpKeys, SrtpReceiver, SrtpSender
from media.transport.udp import Batch


class PlaneSocket(Protocol):
    """A UDP socket that never blocks; see `media.transport.udp.UdpSocket`."""

    @property
    def port(self) -> int: ...

    def open(self, on_batch: Callable[[Batch], None]) -> None: ...

    def send(self, datagram: bytes, address: Address) -> bool: ...

    def close(self) -> None: ...


_Place = tuple[Address, int]
"""An address, and the SSRC of who shares it; 0 of who has it alone."""


@dataclass(slots=True, eq=False)
class _Peer:
    number: int
    role: Role
    srtp_in: SrtpReceiver
    srtp_out: SrtpSender
    places: set[_Place]
    selected: Address
    heard_at: float = float("-inf")


class PythonPlane:
    """A `DataPlane` over one socket; `sender` sends media through the same one."""

    kind = "python"

    def __init__(
        self, settings: MediaSettings, socket: PlaneSocket, sender: DatagramSender
    ) -> None:
        self._settings = settings
        self._socket = socket
        self._sender = sender
        self._peers: dict[int, _Peer] = {}
        self._by_place: dict[_Place, _Peer] = {}
        self._streams: dict[int, PythonStream] = {}
        self._routes = Routes()
        self._datagrams: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()
        self._unsent = 0

    @property
    def port(self) -> int:
        return self._socket.port

    def open(self, listener: PlaneListener) -> None:
        loop = asyncio.get_running_loop()
        self._socket.open(lambda batch: self.receive(batch, listener, loop.time()))

    def close(self) -> None:
        self._socket.close()

    def send(self, datagram: bytes, address: Address) -> bool:
        went = self._socket.send(datagram, address)
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
        if peer in self._peers or not addresses:
            raise ValueError("a peer has a number of its own and an address")
        made = _Peer(peer, role, SrtpReceiver(keys), SrtpSender(keys), set(), addresses[-1])
        self._peers[peer] = made
        for address in addresses:
            for ssrc in ssrcs or (0,):
                self._bind(made, (address, ssrc))

    def bind(self, peer: int, address: Address) -> None:
        if (bound := self._peers.get(peer)) is not None:
            self._bind(bound, (address, 0))

    def _bind(self, peer: _Peer, place: _Place) -> None:
        if (former := self._by_place.get(place)) is not None:
            former.places.discard(place)
        peer.places.add(place)
        self._by_place[place] = peer

    def unbind(self, peer: int, address: Address) -> None:
        bound, place = self._peers.get(peer), (address, 0)
        if bound is not None and place in bound.places:
            bound.places.remove(place)
            del self._by_place[place]

    def select(self, peer: int, address: Address) -> None:
        if (selecting := self._peers.get(peer)) is not None:
            selecting.selected = address
            if (stream := self._routes.watched.get(peer)) is not None:
                stream.set_address(peer, address)

    def remove_peer(self, peer: int) -> None:
        removed = self._peers.pop(peer, None)
        if removed is None:
            return
        for place in removed.places:
            del self._by_place[place]
        if (stream := self._routes.watched.get(peer)) is not None:
            stream.remove_viewer(peer)

    def heard_at(self, peer: int) -> float:
        heard = self._peers.get(peer)
        return heard.heard_at if heard is not None else float("-inf")

    def send_rtcp(self, peer: int, packet: bytes) -> None:
        if (receiver := self._peers.get(peer)) is not None:
            self.send(receiver.srtp_out.protect_rtcp(packet), receiver.selected)

    def stream(self, number: int) -> PythonStream:
        if number in self._streams:
            raise ValueError(f"stream {number} is there already")
        settings = self._settings
        fanout = PythonFanout(
            self._sender,
            cache_max_packets=settings.cache_max_packets,
            cache_max_bytes=settings.cache_max_bytes,
            cache_s=settings.cache_s,
        )
        ingest = PublisherIngest(max_bitrate_bps=settings.max_publisher_bitrate_bps)
        stream = self._streams[number] = PythonStream(
            number, fanout, ingest, self._routes, on_closed=lambda: self._streams.pop(number, None)
        )
        return stream

    def counts(self) -> PlaneCounts:
        return PlaneCounts(dict(self._datagrams), dict(self._dropped), self._unsent)

    def relay_times(self) -> RelayTimes:
        return RelayTimes()

    def receive(self, batch: Batch, listener: PlaneListener, now: float) -> None:
        """Handle what one read of the socket gave; a publisher's packets stay together."""
        control: list[ControlDatagram] = []
        rtp: list[tuple[bytes, Address]] = []
        rtcp: list[tuple[bytes, Address]] = []
        for datagram, address in batch:
            kind = classify(datagram)
            self._datagrams[kind] += 1
            if kind is DatagramKind.RTP:
                rtp.append((datagram, address))
            elif kind is DatagramKind.RTCP:
                rtcp.append((datagram, address))
            elif kind is DatagramKind.OTHER:
                self._dropped["unknown_protocol"] += 1
            else:
                control.append(ControlDatagram(kind, datagram, address))
        if control:
            listener.on_control(control, now)
        touched = self._receive_rtp(rtp, now)
        if rtcp and (packets := self._decrypt_rtcp(rtcp, now)):
            listener.on_rtcp(packets, now)
        if touched:
            listener.on_attention(touched, now)

    def _sender_of(self, datagram: bytes, address: Address) -> _Peer | None:
        alone = self._by_place.get((address, 0))
        return alone or self._by_place.get((address, ssrc_of(datagram)))

    def _receive_rtp(self, batch: Batch, now: float) -> set[int]:
        """Forward media; the streams that got any."""
        media: dict[_Peer, list[bytes]] = {}
        for datagram, address in batch:
            peer = self._sender_of(datagram, address)
            if peer is None or peer.number not in self._routes.published:
                self._dropped["rtp_of_no_publisher"] += 1
                continue
            packet = peer.srtp_in.unprotect(datagram)
            if packet is None:
                self._dropped["rtp_refused"] += 1
            else:
                media.setdefault(peer, []).append(packet)
        touched = set()
        for peer, packets in media.items():
            peer.heard_at = now
            stream = self._routes.published[peer.number]
            stream.on_rtp(packets, now)
            touched.add(stream.number)
        return touched

    def _decrypt_rtcp(self, batch: Batch, now: float) -> list[PeerPacket]:
        packets = []
        for datagram, address in batch:
            peer = self._sender_of(datagram, address)
            if peer is None:
                self._dropped["rtcp_of_no_session"] += 1
                continue
            packet = peer.srtp_in.unprotect_rtcp(datagram)
            if packet is None:
                self._dropped["rtcp_refused"] += 1
            else:
                peer.heard_at = now
                packets.append(PeerPacket(peer.number, packet))
        return packets
