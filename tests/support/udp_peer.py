"""A WebRTC client of few words over a real loopback socket: checks, a handshake, packets."""

import asyncio
import re
import socket
from pathlib import Path
from typing import Any

from aioice import stun

from media.relay.tracks import Address
from media.transport.demux import DatagramKind, classify
from media.transport.dtls import DtlsPeer, DtlsState
from media.transport.srtp import SrtpReceiver, SrtpSender
from media.wire.offer import Fingerprint
from tests.support.scripted_peer import ScriptedPeer

PATIENCE_S = 20.0

_OFFER = (Path(__file__).parents[1] / "media/wire/offers/obs_publish.sdp").read_text()


def obs_offer(direction: str) -> str:
    """OBS's offer, with the certificate of scripted peers: H264 96 and Opus 111."""
    digest = ScriptedPeer.IDENTITY.fingerprint.digest.hex(":").upper()
    lines = _OFFER.replace("a=sendonly", f"a={direction}").splitlines()
    return "\r\n".join(
        f"a=fingerprint:sha-256 {digest}" if line.startswith("a=fingerprint") else line
        for line in lines
    )


class UdpPeer:
    """One end of a session; `answer` is what its POST was answered."""

    def __init__(self, answer: str) -> None:
        def line(pattern: str) -> str:
            found = re.search(pattern, answer)
            assert found is not None
            return found[1]

        digest = bytes.fromhex(line(r"a=fingerprint:sha-256 (\S+)").replace(":", ""))
        self._ufrag, self._pwd = line(r"a=ice-ufrag:(\S+)"), line(r"a=ice-pwd:(\S+)")
        self._server: Address = ("127.0.0.1", int(line(r"a=candidate:\d+ 1 udp \d+ \S+ (\d+)")))
        fingerprint = Fingerprint("sha-256", digest)
        self._dtls = DtlsPeer(ScriptedPeer.IDENTITY, [fingerprint], is_client=True)
        self._sockets: list[socket.socket] = []
        self.move()

    def move(self) -> None:
        """To another port, as behind a NAT that forgot; nobody has checked it yet."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self._sockets.append(self._socket)

    def close(self) -> None:
        for each in self._sockets:
            each.close()

    def send(self, datagram: bytes) -> None:
        self._socket.sendto(datagram, self._server)

    async def connect(self) -> None:
        """Check, shake hands, and derive the keys."""
        await self.checked()
        flight = self._dtls.start()
        while self._dtls.state is DtlsState.HANDSHAKE:
            for datagram in flight:
                self.send(datagram)
            flight = self._dtls.receive(await self.next(DatagramKind.DTLS))
        for datagram in flight:
            self.send(datagram)
        assert self._dtls.keys is not None
        self.out, self._in = SrtpSender(self._dtls.keys), SrtpReceiver(self._dtls.keys)

    async def checked(self) -> None:
        """A check, answered: what was sent before from anywhere has been looked at."""
        attributes: dict[str, Any] = {"USERNAME": f"{self._ufrag}:theirs", "USE-CANDIDATE": None}
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes=attributes)
        request.add_message_integrity(self._pwd.encode())
        self.send(bytes(request))
        while True:
            answer = stun.parse_message(await self.next(DatagramKind.STUN))
            if answer.transaction_id == request.transaction_id:
                assert answer.message_class is stun.Class.RESPONSE
                return

    async def next(self, kind: DatagramKind) -> bytes:
        """The next datagram of that kind; others are passed over."""
        loop = asyncio.get_running_loop()
        while True:
            datagram = await asyncio.wait_for(loop.sock_recv(self._socket, 65_535), PATIENCE_S)
            if classify(datagram) is kind:
                return datagram

    async def rtp(self) -> bytes:
        """The next RTP packet, decrypted by libsrtp."""
        packet = self._in.unprotect(await self.next(DatagramKind.RTP))
        assert packet is not None
        return packet
