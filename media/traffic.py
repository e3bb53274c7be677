"""Datagrams of all sessions: each to the protocol it speaks and the session it belongs to.

Thin over the sans-IO parts: bytes and `now` come in, datagrams go out through `send`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from media.counters import MediaCounters
from media.live import LiveStream
from media.relay.stream import PUBLISHER
from media.session import Role, Session, SessionEvent, SessionState
from media.transport.demux import DatagramKind, classify
from media.transport.dtls import DtlsState
from media.transport.ice_lite import Address, Checked, IceLite, Refused
from media.transport.udp import Batch

Send = Callable[[bytes, Address], bool]
"""Sends a datagram or drops it; whether it went."""


@dataclass(frozen=True, slots=True, eq=False)
class Peer:
    """A session and the stream it belongs to."""

    session: Session
    stream: LiveStream


class Traffic:
    """What happens to each datagram, by its kind and by the session at its address."""

    def __init__(
        self, send: Send, counters: MediaCounters, *, on_secured: Callable[[Peer, float], None]
    ) -> None:
        self.ice = IceLite()
        self._send = send
        self._counters = counters
        self._on_secured = on_secured
        self._peers: dict[str, Peer] = {}
        self._handshaking: set[Peer] = set()
        self._touched: set[LiveStream] = set()
        self._handlers: dict[DatagramKind, Callable[[bytes, Address, float], None]] = {
            DatagramKind.STUN: self._on_stun,
            DatagramKind.DTLS: self._on_dtls,
            DatagramKind.RTCP: self._on_rtcp,
            DatagramKind.OTHER: self._on_other,
        }

    def add(self, session: Session, stream: LiveStream) -> None:
        """Take datagrams of this session from now on."""
        self._peers[session.session_id] = Peer(session, stream)

    def remove(self, session: Session) -> None:
        """Say goodbye to the peer, and take no more datagrams of this session."""
        self._send_to(session, session.dtls.close())
        self.ice.unregister(session.ice)
        self._handshaking.discard(self._peers.pop(session.session_id))

    def receive(self, batch: Batch, now: float) -> None:
        """Handle what one read of the socket gave; a publisher's packets stay together."""
        media: dict[Peer, list[bytes]] = {}
        datagrams = self._counters.datagrams
        for datagram, address in batch:
            kind = classify(datagram)
            datagrams[kind] += 1
            if kind is DatagramKind.RTP:
                peer = self._peer_at(address)
                if peer is None or peer.session.role is not Role.PUBLISHER:
                    self._drop("rtp_of_no_publisher")
                else:
                    media.setdefault(peer, []).append(datagram)
            else:
                self._handlers[kind](datagram, address, now)
        for peer, packets in media.items():
            self._on_media(peer, packets, now)
        self._flush(now)

    def tick(self, streams: Iterable[LiveStream], now: float) -> None:
        """What is due by time alone: handshakes, reports, requests to publishers."""
        for peer in self._handshaking:
            self._send_to(peer.session, peer.session.dtls.on_timer())
        for stream in streams:
            self._send_feedback(stream, now)

    def _on_stun(self, datagram: bytes, address: Address, now: float) -> None:
        outcome = self.ice.receive(datagram, address)
        if isinstance(outcome, Checked):
            self._transmit(outcome.response, address)
            self._on_checked(outcome, now)
        elif isinstance(outcome, Refused):
            self._transmit(outcome.response, address)
            self._drop(f"stun_{outcome.reason.name.lower()}")
        else:
            self._drop(f"stun_{outcome}")

    def _on_checked(self, check: Checked, now: float) -> None:
        peer = self._peers[check.session.session_id]
        session = peer.session
        session.heard_at = now
        if session.state is SessionState.NEW:
            session.on(SessionEvent.CHECKED)
            self._handshaking.add(peer)
            self._send_to(session, session.dtls.start())
        elif session.state is SessionState.CONNECTED and session.role is Role.VIEWER:
            selected = session.ice.selected
            if selected is not None:
                peer.stream.relay.set_viewer_address(session.number, selected)

    def _on_dtls(self, datagram: bytes, address: Address, now: float) -> None:
        peer = self._peer_at(address)
        if peer is None:
            self._drop("dtls_of_no_session")
            return
        session = peer.session
        self._send_to(session, session.dtls.receive(datagram))
        if session.dtls.state is DtlsState.CONNECTED and session.state is SessionState.CONNECTING:
            session.heard_at = now
            session.secure()
            self._handshaking.discard(peer)
            self._on_secured(peer, now)

    def _on_media(self, peer: Peer, packets: list[bytes], now: float) -> None:
        if peer.session.srtp_in is None:
            self._drop("rtp_without_keys", len(packets))
            return
        unprotect = peer.session.srtp_in.unprotect
        plain = [packet for packet in map(unprotect, packets) if packet is not None]
        self._drop("rtp_refused", len(packets) - len(plain))
        if plain:
            peer.session.heard_at = now
            peer.stream.relay.on_rtp(plain, now)
            self._touched.add(peer.stream)

    def _on_rtcp(self, datagram: bytes, address: Address, now: float) -> None:
        peer = self._peer_at(address)
        if peer is None or peer.session.srtp_in is None:
            self._drop("rtcp_of_no_session")
            return
        packet = peer.session.srtp_in.unprotect_rtcp(datagram)
        if packet is None:
            self._drop("rtcp_refused")
            return
        peer.session.heard_at = now
        if peer.session.role is Role.PUBLISHER:
            peer.stream.relay.on_publisher_rtcp(packet, now)
        else:
            peer.stream.relay.on_viewer_rtcp(peer.session.number, packet, now)
        self._touched.add(peer.stream)

    def _on_other(self, datagram: bytes, address: Address, now: float) -> None:
        self._drop("unknown_protocol")

    def _peer_at(self, address: Address) -> Peer | None:
        session = self.ice.session_at(address)
        return self._peers[session.session_id] if session is not None else None

    def _flush(self, now: float) -> None:
        for stream in self._touched:
            self._send_feedback(stream, now)
        self._touched.clear()

    def _send_feedback(self, stream: LiveStream, now: float) -> None:
        for feedback in stream.relay.poll(now):
            to_publisher = feedback.to == PUBLISHER
            session = stream.publisher if to_publisher else stream.viewers.get(feedback.to)
            if session is not None and session.srtp_out is not None:
                self._send_to(session, [session.srtp_out.protect_rtcp(feedback.packet)])

    def _send_to(self, session: Session, datagrams: Iterable[bytes]) -> None:
        if session.ice.selected is not None:
            for datagram in datagrams:
                self._transmit(datagram, session.ice.selected)

    def _transmit(self, datagram: bytes, address: Address) -> None:
        if not self._send(datagram, address):
            self._counters.unsent += 1

    def _drop(self, reason: str, count: int = 1) -> None:
        if count:
            self._counters.dropped[reason] += count
