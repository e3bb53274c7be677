"""The other side of a session without a socket: ICE checks, a DTLS client, SRTP both ways."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aioice import stun

from media.session import Session
from media.transport.certificate import DtlsCertificate
from media.transport.demux import DatagramKind, classify
from media.transport.dtls import DtlsIdentity, DtlsPeer
from media.transport.ice_lite import Address
from media.transport.srtp import SrtpReceiver, SrtpSender
from media.transport.udp import Batch


class Wire:
    """Stands where the socket would be, and keeps what is sent."""

    port = 7000

    def open(self, on_batch: Callable[[Batch], None]) -> None:
        raise AssertionError("batches are handed to the plane by the test")

    def close(self) -> None:
        self.is_full = True

    def __init__(self) -> None:
        self.is_full = False
        self._sent: list[tuple[bytes, Address]] = []

    def send(self, datagram: bytes, address: Address) -> bool:
        if not self.is_full:
            self._sent.append((datagram, address))
        return not self.is_full

    def take(self, address: Address, kind: DatagramKind) -> list[bytes]:
        """What of this kind went there since the last time."""
        taken = [d for d, to in self._sent if to == address and classify(d) is kind]
        self._sent = [(d, to) for d, to in self._sent if to != address or classify(d) is not kind]
        return taken


class ScriptedPeer:
    """A client at one address; make its session with the fingerprint of `IDENTITY`."""

    IDENTITY = DtlsIdentity(DtlsCertificate.generate(datetime(2026, 1, 31, tzinfo=UTC)))

    def __init__(self, session: Session, server: DtlsIdentity, address: Address) -> None:
        self.session = session
        self.address = address
        self.dtls = DtlsPeer(self.IDENTITY, [server.fingerprint], is_client=True)
        self.srtp_out: SrtpSender | None = None
        self.srtp_in: SrtpReceiver | None = None

    def check(self, *, nominate: bool = True) -> bytes:
        """A connectivity check."""
        credentials = self.session.ice.credentials
        attributes: dict[str, Any] = {"USERNAME": f"{credentials.ufrag}:theirs"}
        if nominate:
            attributes["USE-CANDIDATE"] = None
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes=attributes)
        request.add_message_integrity(credentials.pwd.encode())
        return bytes(request)

    def connect(self, receive: Callable[[Batch], None], wire: Wire) -> None:
        """Check, shake hands, and derive the keys."""
        receive([(self.check(), self.address)])
        flight = self.dtls.start()
        while flight:
            receive([(datagram, self.address) for datagram in flight])
            heard = wire.take(self.address, DatagramKind.DTLS)
            flight = [out for datagram in heard for out in self.dtls.receive(datagram)]
        assert self.dtls.keys is not None
        self.srtp_out = SrtpSender(self.dtls.keys)
        self.srtp_in = SrtpReceiver(self.dtls.keys)

    def rtp(self, *packets: bytes) -> list[tuple[bytes, Address]]:
        """Encrypted RTP packets as a batch of the socket."""
        assert self.srtp_out is not None
        return [(self.srtp_out.protect(packet), self.address) for packet in packets]

    def rtcp(self, packet: bytes) -> list[tuple[bytes, Address]]:
        """An encrypted RTCP packet as a batch of the socket."""
        assert self.srtp_out is not None
        return [(self.srtp_out.protect_rtcp(packet), self.address)]
