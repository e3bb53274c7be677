"""What the data plane hands up: STUN and DTLS to their sessions, RTCP to the relays.

Thin over the sans-IO parts, and the same over every plane: a `PlaneListener`.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from media.counters import MediaCounters
from media.heap import Heap
from media.live import LiveStream
from media.plane import ControlDatagram, DataPlane, PeerPacket
from media.relay.stream import PUBLISHER
from media.session import Role, Session, SessionEvent, SessionState
from media.transport.demux import DatagramKind
from media.transport.dtls import DtlsState
from media.transport.ice_lite import Address, Checked, IceLite, Refused
from media.transport.srtp import SrtpKeys

_FINAL = frozenset({DtlsState.CLOSED, DtlsState.FAILED})


@dataclass(frozen=True, slots=True, eq=False)
class Peer:
    """A session and the stream it belongs to."""

    session: Session
    stream: LiveStream

    @property
    def role(self) -> Role:
        return self.session.role


@dataclass(frozen=True, slots=True, eq=False)
class _FeedPeer:
    """The other end of a feed: another worker, with agreed keys."""

    role: Role
    stream: LiveStream
    since: float


class Traffic:
    """What happens to each datagram, by its kind and by the session at its address.

    `on_secured` is called when a handshake is over and the plane knows the peer, `on_closed` when
    the peer said goodbye or its handshake failed.
    """

    def __init__(
        self,
        plane: DataPlane,
        ice: IceLite,
        counters: MediaCounters,
        heap: Heap,
        *,
        on_secured: Callable[[Peer, float], None],
        on_closed: Callable[[Peer, float], None],
    ) -> None:
        self.ice = ice
        self._plane = plane
        self._counters = counters
        self._heap = heap
        self._on_secured = on_secured
        self._on_closed = on_closed
        self._peers: dict[str, Peer] = {}
        self._by_number: dict[int, Peer] = {}
        self._feeds: dict[int, _FeedPeer] = {}
        self._streams: dict[int, LiveStream] = {}
        self._handshaking: set[Peer] = set()
        self._handlers: dict[DatagramKind, Callable[[bytes, Address, float], None]] = {
            DatagramKind.STUN: self._on_stun,
            DatagramKind.DTLS: self._on_dtls,
        }

    def add(self, session: Session, stream: LiveStream) -> None:
        """Take datagrams of this session from now on."""
        self._peers[session.session_id] = self._by_number[session.number] = Peer(session, stream)
        self._streams[stream.number] = stream

    def remove(self, session: Session) -> None:
        """Say goodbye to the peer, and take no more datagrams of this session."""
        self._send_to(session, session.dtls.close())
        self.ice.unregister(session.ice)
        self._handshaking.discard(self._peers.pop(session.session_id))
        del self._by_number[session.number]
        self._plane.remove_peer(session.number)
        self._heap.freed += 1

    def add_feed(
        self,
        number: int,
        role: Role,
        keys: SrtpKeys,
        address: Address,
        stream: LiveStream,
        *,
        ssrcs: Sequence[int],
        now: float,
    ) -> None:
        """Another worker takes part in a stream, as its publisher or as a viewer; `ssrcs` tell what
        it sends from what it sends of other streams."""
        self._plane.add_peer(number, role, keys, [address], ssrcs)
        self._feeds[number] = _FeedPeer(role, stream, now)
        self._streams[stream.number] = stream

    def feed_heard_at(self, number: int) -> float:
        """When something authentic last came from a feed's other end, or when the feed began."""
        return max(self._feeds[number].since, self._plane.heard_at(number))

    def remove_feed(self, number: int) -> None:
        """It does so no longer."""
        del self._feeds[number]
        self._plane.remove_peer(number)

    def forget(self, stream: LiveStream) -> None:
        """The stream is over, and all of its sessions are removed."""
        self._streams.pop(stream.number, None)
        stream.relay.close()

    def heard_at(self, session: Session) -> float:
        """When something authentic last came from the session's peer."""
        return max(session.heard_at, self._plane.heard_at(session.number))

    def on_control(self, datagrams: Sequence[ControlDatagram], now: float) -> None:
        """Handle STUN and DTLS."""
        for kind, datagram, address in datagrams:
            self._handlers[kind](datagram, address, now)

    def on_rtcp(self, packets: Sequence[PeerPacket], now: float) -> None:
        """Handle decrypted RTCP, and send what the relays answer."""
        touched: dict[int, LiveStream] = {}
        for number, packet in packets:
            peer = self._feeds.get(number) or self._settled(number)
            if peer is None:
                continue  # it left while the packet was on its way up
            if peer.role is Role.PUBLISHER:
                peer.stream.relay.on_publisher_rtcp(packet, now)
            else:
                peer.stream.relay.on_viewer_rtcp(number, packet, now)
            touched[peer.stream.number] = peer.stream
        self.poll(touched.values(), now)

    def on_attention(self, streams: Collection[int], now: float) -> None:
        """Send what is due of these streams' feedback."""
        self.poll([self._streams[number] for number in streams if number in self._streams], now)

    def on_timer(self, now: float) -> None:
        """Repeat what handshakes have lost; to be called every 50 ms or so."""
        for peer in list(self._handshaking):
            self._send_to(peer.session, peer.session.dtls.on_timer())
            self._note_closed(peer, now)

    def poll(self, streams: Iterable[LiveStream], now: float) -> None:
        """Send the RTCP that is due."""
        for stream in streams:
            for feedback in stream.relay.poll(now):
                if feedback.to != PUBLISHER:
                    self._plane.send_rtcp(feedback.to, feedback.packet)
                elif stream.source is not None:
                    self._plane.send_rtcp(stream.source, feedback.packet)

    def _settled(self, number: int) -> Peer | None:
        """The session of a peer that sends with its keys: so its handshake is over on its side."""
        peer = self._by_number.get(number)
        if peer is not None and peer.session.dtls.settle():
            self._heap.freed += 1
        return peer

    def _on_stun(self, datagram: bytes, address: Address, now: float) -> None:
        outcome = self.ice.receive(datagram, address)
        if isinstance(outcome, Checked):
            self._plane.send(outcome.response, address)
            self._on_checked(outcome, address, now)
        elif isinstance(outcome, Refused):
            self._plane.send(outcome.response, address)
            self._drop(f"stun_{outcome.reason.name.lower()}")
        else:
            self._drop(f"stun_{outcome}")

    def _on_checked(self, check: Checked, address: Address, now: float) -> None:
        peer = self._peers[check.session.session_id]
        session = peer.session
        session.heard_at = now
        if session.state is SessionState.NEW:
            session.on(SessionEvent.CHECKED)
            self._handshaking.add(peer)
            self._send_to(session, session.dtls.start())
        elif session.state is SessionState.CONNECTED:
            if check.released is not None:
                self._plane.unbind(session.number, check.released)
            if check.is_new:
                self._plane.bind(session.number, address)
            if check.is_selected:
                self._plane.select(session.number, address)

    def _on_dtls(self, datagram: bytes, address: Address, now: float) -> None:
        ice = self.ice.session_at(address)
        if ice is None:
            self._drop("dtls_of_no_session")
            return
        peer = self._peers[ice.session_id]
        session = peer.session
        self._send_to(session, session.dtls.receive(datagram))
        if session.dtls.state is DtlsState.CONNECTED and session.state is SessionState.CONNECTING:
            self._secure(peer, now)
        self._note_closed(peer, now)

    def _secure(self, peer: Peer, now: float) -> None:
        session = peer.session
        keys, selected = session.dtls.keys, session.ice.selected
        if keys is None or selected is None:
            raise ValueError("a session whose handshake is over has keys and an address")
        session.heard_at = now
        session.on(SessionEvent.SECURED)
        self._handshaking.discard(peer)
        self._plane.add_peer(session.number, session.role, keys, session.ice.addresses)
        self._plane.select(session.number, selected)
        self._on_secured(peer, now)

    def _note_closed(self, peer: Peer, now: float) -> None:
        if peer.session.dtls.state in _FINAL and peer.session.state is not SessionState.CLOSED:
            self._on_closed(peer, now)

    def _send_to(self, session: Session, datagrams: Iterable[bytes]) -> None:
        if session.ice.selected is not None:
            for datagram in datagrams:
                self._plane.send(datagram, session.ice.selected)

    def _drop(self, reason: str) -> None:
        self._counters.dropped[reason] += 1
