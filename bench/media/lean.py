"""A WebRTC peer that costs next to nothing: ICE, DTLS and SRTP by the server's own sans-IO parts.

It stands for a browser in the paced runs, of which a machine can't run hundreds: it sends the
consent checks and receiver reports that a browser sends, and throws away what it gets.
"""

import re
import select
import socket
import time
from datetime import UTC, datetime
from typing import Any

from aioice import stun

from bench.media.stream import AUDIO_PAYLOAD_TYPE, AUDIO_SSRC, VIDEO_PAYLOAD_TYPE, VIDEO_SSRC
from media.transport.certificate import DtlsCertificate
from media.transport.demux import DatagramKind, classify
from media.transport.dtls import DtlsIdentity, DtlsPeer, DtlsState
from media.transport.srtp import SrtpReceiver, SrtpSender
from media.wire.offer import Fingerprint
from media.wire.rtcp import ReportBlock, build_receiver_report

UDP_GRO = 104  # linux/udp.h
HANDSHAKE_S = 10.0

IDENTITY = DtlsIdentity(DtlsCertificate.generate(datetime.now(UTC)))


def offer(direction: str) -> str:
    """What Chromium's offer comes down to for one H.264 and one Opus track."""
    digest = IDENTITY.fingerprint.digest.hex(":").upper()
    common = (
        "c=IN IP4 0.0.0.0\r\na=ice-ufrag:lean\r\na=ice-pwd:leanleanleanleanleanlean\r\n"
        f"a=fingerprint:sha-256 {digest}\r\na=setup:actpass\r\na=rtcp-mux\r\na={direction}\r\n"
    )
    own = {
        "sendonly": (f"a=ssrc:{AUDIO_SSRC} cname:lean\r\n", f"a=ssrc:{VIDEO_SSRC} cname:lean\r\n")
    }
    audio_ssrc, video_ssrc = own.get(direction, ("", ""))
    audio, video = AUDIO_PAYLOAD_TYPE, VIDEO_PAYLOAD_TYPE
    return (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
        f"m=audio 9 UDP/TLS/RTP/SAVPF {audio}\r\n{common}a=mid:0\r\n"
        f"a=rtpmap:{audio} opus/48000/2\r\n{audio_ssrc}"
        f"m=video 9 UDP/TLS/RTP/SAVPF {video} 97\r\n{common}a=mid:1\r\n"
        f"a=rtpmap:{video} H264/90000\r\n"
        f"a=fmtp:{video} packetization-mode=1;profile-level-id=42e01f\r\n"
        f"a=rtcp-fb:{video} nack\r\na=rtcp-fb:{video} nack pli\r\n"
        f"a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt={video}\r\n{video_ssrc}"
    )


class LeanPeer:
    """One peer on a socket of its own."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))

    def connect(self, answer: str) -> None:
        """Check, shake hands, derive the keys; blocks. Raises TimeoutError."""
        lines = dict(re.findall(r"^a=(ice-ufrag|ice-pwd|fingerprint):(.*?)\r?$", answer, re.M))
        candidate = re.search(r"^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) ", answer, re.M)
        if candidate is None:
            raise ValueError(f"no candidate in {answer!r}")
        algorithm, digest = lines["fingerprint"].split()
        server = Fingerprint(algorithm, bytes.fromhex(digest.replace(":", "")))
        self._ufrag, self._pwd = lines["ice-ufrag"], lines["ice-pwd"]
        self.socket.connect((candidate[1], int(candidate[2])))
        dtls = DtlsPeer(IDENTITY, [server], is_client=True)
        self.check()
        deadline = time.monotonic() + HANDSHAKE_S
        flight: list[bytes] = []
        checked = False
        while dtls.state is not DtlsState.CONNECTED:
            for datagram in flight:
                self.socket.send(datagram)
            flight = []
            if not select.select([self.socket], [], [], 0.2)[0]:
                if time.monotonic() > deadline:
                    raise TimeoutError("the handshake did not end")
                if not checked:
                    self.check()
                flight = dtls.on_timer()
                continue
            datagram = self.socket.recv(4096)
            kind = classify(datagram)
            if kind is DatagramKind.STUN and not checked:
                checked = True
                flight = dtls.start()
            elif kind is DatagramKind.DTLS:
                flight = dtls.receive(datagram)
        for datagram in flight:
            self.socket.send(datagram)
        if dtls.keys is None:
            raise ValueError("connected without keys")
        self.srtp_out, self.srtp_in = SrtpSender(dtls.keys), SrtpReceiver(dtls.keys)

    def check(self) -> None:
        """A consent check (RFC 7675)."""
        attributes: dict[str, Any] = {"USERNAME": f"{self._ufrag}:lean", "USE-CANDIDATE": None}
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes=attributes)
        request.add_message_integrity(self._pwd.encode())
        self.socket.send(bytes(request))

    def report(self, ssrcs: tuple[int, ...]) -> None:
        """A receiver report without losses."""
        blocks = [ReportBlock(ssrc, 0, 0, 0, 0, 0, 0) for ssrc in ssrcs]
        self.socket.send(self.srtp_out.protect_rtcp(build_receiver_report(7, blocks)))
