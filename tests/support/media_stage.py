"""Streams and sessions of scripted peers, without a socket, an event loop or a clock."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from config.media import MediaSettings
from media.cascade import Cascade
from media.events import MediaEvent
from media.live import LiveStream
from media.negotiation import Negotiator
from media.python_plane import PythonPlane
from media.registry import Registry
from media.relay.stream import StreamRelay
from media.relay.tracks import Address
from media.transport.certificate import DtlsCertificate
from media.transport.dtls import DtlsIdentity
from media.transport.ice_lite import IceLite
from media.transport.ice_secret import IceSecret
from media.transport.udp import Batch
from tests.support.scripted_peer import ScriptedPeer, Wire

STREAM = UUID(int=5)
OWNER = UUID(int=1)

_OFFER = (Path(__file__).parents[1] / "media/wire/offers/obs_publish.sdp").read_text()


class MediaSink:
    """A `DatagramSender` that keeps what the relay sends to viewers."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Address]] = []

    def send(self, datagrams: list[bytes], address: Address) -> int:
        self.sent += [(datagram, address) for datagram in datagrams]
        return len(datagrams)


class Stage:
    """Everything between the socket and the clock; `now` moves when a test says so."""

    def __init__(self, **settings: object) -> None:
        self.now = 1000.0
        self.wire = Wire()
        self.sink = MediaSink()
        self.events: list[MediaEvent] = []
        self.settings = MediaSettings(**settings)  # type: ignore[arg-type]
        self.plane = PythonPlane(self.settings, self.wire, self.sink)
        self.registry = Registry(
            self.settings, self.plane, IceLite(IceSecret(bytes(32))), on_event=self.events.append
        )
        self.traffic = self.registry.traffic
        self.cascade = Cascade(self.registry, self._stream)
        self.server = DtlsIdentity(DtlsCertificate.generate(datetime(2026, 1, 31, tzinfo=UTC)))
        self.negotiator = Negotiator(self.traffic.ice, self.server, [("127.0.0.1", 7000)])

    def offer(self, direction: str, codec: str = "H264") -> str:
        """OBS's offer, with the scripted peers' certificate."""
        digest = ScriptedPeer.IDENTITY.fingerprint.digest.hex(":").upper()
        lines = _OFFER.replace("a=sendonly", f"a={direction}").replace("H264/", f"{codec}/")
        return "\r\n".join(
            f"a=fingerprint:sha-256 {digest}" if line.startswith("a=fingerprint") else line
            for line in lines.splitlines()
        )

    def publisher(self, port: int, codec: str = "H264", stream_id: UUID = STREAM) -> ScriptedPeer:
        """A publisher of a stream that has POSTed, and sent nothing yet."""
        stream = self.registry.streams.get(stream_id) or self._stream(stream_id, OWNER, "cname")
        offer = self.offer("sendonly", codec)
        negotiated = self.negotiator.publisher(stream_id, offer, self.now)
        self.registry.add(negotiated.session, stream)
        return ScriptedPeer(negotiated.session, self.server, ("127.0.0.1", port))

    def viewer(self, port: int, stream_id: UUID = STREAM) -> ScriptedPeer:
        """A viewer that has POSTed, and sent nothing yet."""
        stream = self.registry.streams[stream_id]
        offer = self.offer("recvonly", stream.published[1].codec.encoding)
        negotiated = self.negotiator.viewer(
            stream_id, offer, stream.published, stream.cname, self.now
        )
        self.registry.add(negotiated.session, stream)
        return ScriptedPeer(negotiated.session, self.server, ("127.0.0.1", port))

    def connect(self, peer: ScriptedPeer) -> ScriptedPeer:
        """Let the peer check and shake hands."""
        peer.connect(self.receive, self.wire)
        return peer

    def receive(self, batch: Batch, now: float | None = None) -> None:
        """What one read of the socket would give."""
        self.plane.receive(batch, self.traffic, self.now if now is None else now)

    @property
    def dropped(self) -> dict[str, int]:
        """Datagrams by why they were dropped."""
        return self.registry.counters.with_plane(self.plane.counts()).dropped

    def _stream(self, stream_id: UUID, publisher_id: UUID, cname: str) -> LiveStream:
        number = 1 + len(self.registry.streams)
        relay = StreamRelay(self.plane.stream(number), settings=self.settings, cname=cname)
        return LiveStream(number, stream_id, publisher_id, relay, cname)
