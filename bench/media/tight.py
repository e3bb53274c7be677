"""CPU of one RTP packet forwarded to one viewer, against aiortc's way of sending RTP.

A second of a 2.5 Mbit/s stream (285 packets of 1,100 bytes in bursts, 50 of 100 bytes) goes to 100
viewers over loopback as fast as it can, again and again: through the native fan-out, through the
relay with its Python fan-out, and through `RTCDtlsTransport._send_rtp` with the packet parsed once,
rewritten and serialized for each viewer. All encrypt with AES-128-GCM. The viewers' sockets are not
read: when they are full the kernel drops what arrives, for all alike. Runs alternate; medians are
shown.

CPU time is that of the process, the kernel's work on its behalf included.
"""

import asyncio
import gc
import os
import socket
import statistics
import time
from collections.abc import Callable, Iterator, Sequence, Sized
from contextlib import ExitStack
from typing import TypeVar

from aioice import Candidate
from aioice.ice import CandidatePair, StunProtocol
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsTransport, State
from aiortc.rtcicetransport import RTCIceGatherer, RTCIceTransport
from aiortc.rtp import HeaderExtensionsMap, RtpPacket
from pylibsrtp import Policy, Session

from bench.media.stream import (
    AUDIO_PAYLOAD_TYPE,
    AUDIO_SSRC,
    BURST,
    PACKETS_PER_S,
    VIDEO_PAYLOAD_TYPE,
    VIDEO_SSRC,
    Batches,
    Publisher,
)
from bench.media.tight_native import IS_BUILT, NativeEgress
from bench.report import Figure
from config.media import MediaSettings
from media.relay.datagrams import SegmentingSender
from media.relay.fanout import PythonFanout
from media.relay.publisher_ingest import PublisherIngest
from media.relay.python_stream import PythonStream, Routes
from media.relay.stream import StreamRelay
from media.relay.tracks import Address, TrackSpec, Viewer, ViewerTrack
from media.transport.srtp import SrtpKeys, SrtpProfile, SrtpReceiver, SrtpSender

VIEWERS = 100
RUNS = 15

PROFILE = SrtpProfile.AEAD_AES_128_GCM
VIDEO = TrackSpec("video", "h264", VIDEO_PAYLOAD_TYPE, VIDEO_SSRC, None, None, 90_000, "0")
AUDIO = TrackSpec("audio", "opus", AUDIO_PAYLOAD_TYPE, AUDIO_SSRC, None, None, 48_000, "1")


Batch = TypeVar("Batch", bound=Sized)


def fresh_keys() -> SrtpKeys:
    """Keys as a handshake would give them."""
    return SrtpKeys.from_exporter(PROFILE, os.urandom(PROFILE.material_bytes), is_client=False)


class Relay:
    """Our side: a relay with its viewers and a publisher of its own."""

    def __init__(self, sock: socket.socket, sinks: Sequence[Address], *, segments: bool) -> None:
        settings = MediaSettings()
        sender = SegmentingSender(sock)
        sender.segments = sender.segments and segments
        self.segments = sender.segments
        fanout = PythonFanout(
            sender,
            cache_max_packets=settings.cache_max_packets,
            cache_max_bytes=settings.cache_max_bytes,
            cache_s=settings.cache_s,
        )
        ingest = PublisherIngest(max_bitrate_bps=settings.max_publisher_bitrate_bps)
        self.plane = PythonStream(1, fanout, ingest, Routes())
        self.relay = StreamRelay(self.plane, settings=settings)
        self.relay.set_publisher(0, [VIDEO, AUDIO], now=0.0)
        for number, sink in enumerate(sinks):
            tracks = (
                ViewerTrack("video", VIDEO_PAYLOAD_TYPE, 2 * number),
                ViewerTrack("audio", AUDIO_PAYLOAD_TYPE, 2 * number + 1),
            )
            self.relay.add_viewer(Viewer(number, tracks, fresh_keys(), sink), now=0.0)
        self.publisher = Publisher()
        self._now = 0.0

    def run(self, batches: Batches) -> None:
        """Forward a second of the stream, with the feedback that goes with it."""
        for batch in batches:
            self._now += 1 / len(batches)
            self.plane.on_rtp(batch, self._now)
            self.relay.poll(self._now)

    @property
    def forwarded(self) -> int:
        return self.relay.stats(self._now).packets_forwarded


class Aiortc:
    """The peer: a DTLS transport over an ICE transport a viewer, as after a handshake."""

    def __init__(self, runner: asyncio.Runner, sinks: Sequence[Address]) -> None:
        self._runner = runner
        self._transports = runner.run(self._connect(sinks))
        self._extensions = HeaderExtensionsMap()
        self.publisher = Publisher()

    async def _connect(self, sinks: Sequence[Address]) -> list[RTCDtlsTransport]:
        certificate = RTCCertificate.generateCertificate()
        transports = []
        for sink in sinks:
            dtls = RTCDtlsTransport(await self._ice(sink), [certificate])
            policy = Policy(
                fresh_keys().local, Policy.SSRC_ANY_OUTBOUND, srtp_profile=PROFILE.libsrtp
            )
            policy.allow_repeat_tx = True
            policy.window_size = 1024
            dtls._state, dtls._tx_srtp = State.CONNECTED, Session(policy)
            transports.append(dtls)
        return transports

    async def _ice(self, sink: Address) -> RTCIceTransport:
        ice = RTCIceTransport(RTCIceGatherer())
        _, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: StunProtocol(ice._connection), local_addr=("127.0.0.1", 0)
        )
        remote = Candidate("1", 1, "udp", 1, *sink, "host")
        ice._connection._nominated[1] = CandidatePair(protocol, remote)
        return ice

    def run(self, batches: Batches) -> None:
        """Forward a second of the stream."""
        self._runner.run(self._run(batches))

    async def _run(self, batches: Batches) -> None:
        for batch in batches:
            for data in batch:
                packet = RtpPacket.parse(data, self._extensions)
                track = packet.ssrc
                for number, transport in enumerate(self._transports):
                    packet.ssrc = track + 2 * number
                    await transport._send_rtp(packet.serialize(self._extensions))


def cpu_and_wall_us(
    run: Callable[[list[Batch]], None], batches: list[Batch]
) -> tuple[float, float]:
    """CPU and wall µs for each packet and viewer."""
    gc.collect()
    gc.disable()
    wall, cpu = time.perf_counter_ns(), time.process_time_ns()
    run(batches)
    cpu, wall = time.process_time_ns() - cpu, time.perf_counter_ns() - wall
    gc.enable()
    sent = sum(map(len, batches)) * VIEWERS * 1000
    return cpu / sent, wall / sent


def ingest_us() -> float:
    """CPU µs for each packet of decrypting and numbering it, with nobody to send it to."""
    keys = fresh_keys()
    sender, receiver = SrtpSender(SrtpKeys(PROFILE, keys.remote, keys.local)), SrtpReceiver(keys)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        relay = Relay(sock, [], segments=True)
        batches = [
            [sender.protect(packet) for packet in batch]
            for _ in range(5)
            for batch in relay.publisher.second()
        ]
        cpu = time.process_time_ns()
        relay.run([[receiver.unprotect(packet) or b"" for packet in batch] for batch in batches])
        cpu = time.process_time_ns() - cpu
    return cpu / 1000 / sum(map(len, batches))


def native_ingest_us() -> float:
    """The same in the native plane, with its reading from the socket."""
    from bench.media.tight_ingress import ingest_us as in_native_plane  # noqa: PLC0415

    return asyncio.run(in_native_plane(fresh_keys()))


def open_sinks(stack: ExitStack) -> Iterator[Address]:
    """The addresses of sockets that nobody reads."""
    for _ in range(VIEWERS):
        sink = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sink.bind(("127.0.0.1", 0))
        yield sink.getsockname()


def measure() -> list[Figure]:
    """Run all ways in turn."""
    with ExitStack() as stack:
        sinks = list(open_sinks(stack))
        sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sock.setblocking(False)
        relay = Relay(sock, sinks, segments=True)
        plain = Relay(sock, sinks, segments=False)
        peer = Aiortc(stack.enter_context(asyncio.Runner()), sinks)
        ways: dict[str, Callable[[], tuple[float, float]]] = {
            "aiortc": lambda: cpu_and_wall_us(peer.run, peer.publisher.second()),
            "as it comes": lambda: cpu_and_wall_us(relay.run, relay.publisher.second()),
            "bursts of 10": lambda: cpu_and_wall_us(relay.run, relay.publisher.second(burst=10)),
            "one by one": lambda: cpu_and_wall_us(relay.run, relay.publisher.second(burst=1)),
            "plain": lambda: cpu_and_wall_us(plain.run, plain.publisher.second()),
            "ingest": lambda: (ingest_us(), 0.0),
        }
        if IS_BUILT:
            ways["native ingest"] = lambda: (native_ingest_us(), 0.0)
        native = native_egresses(sock, sinks)
        ways |= {name: native_way(name, egress) for name, egress in native.items()}
        runs: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for warm_up in ways.values():
            warm_up()
        for _ in range(RUNS):
            for name, way in ways.items():
                runs[name].append(way())
        expected = (RUNS + 1) * PACKETS_PER_S * VIEWERS
        for forwarded in (relay.forwarded // 3, *(each.forwarded for each in native.values())):
            if forwarded != expected:
                raise SystemExit(f"{forwarded} packets were forwarded of {expected}")
        segments = relay.segments
        shares = {name: egress.kernel_share for name, egress in native.items()}
    return native_figures(runs, shares) + figures(runs, segments=segments)


NATIVE_BURSTS = {"native plain": BURST, "native": BURST, "native bursts of 10": 10}


def native_egresses(sock: socket.socket, sinks: Sequence[Address]) -> dict[str, NativeEgress]:
    """The native fan-out for each way to measure it; none where it was not built."""
    if not IS_BUILT:
        print("the native module was not built here: no figures of it")
        return {}
    return {
        name: NativeEgress(sock, sinks, fresh_keys, segments=name != "native plain")
        for name in NATIVE_BURSTS
    }


def native_way(name: str, egress: NativeEgress) -> Callable[[], tuple[float, float]]:
    """One run of it."""
    burst = NATIVE_BURSTS[name]
    return lambda: cpu_and_wall_us(egress.run, egress.publisher.second(burst=burst))


def native_figures(
    runs: dict[str, list[tuple[float, float]]], kernel_shares: dict[str, float]
) -> list[Figure]:
    """The rows of the native fan-out: each way, and how much of it is the kernel's work."""
    aiortc = [cpu for cpu, _ in runs["aiortc"]]
    titles = {
        "native plain": "plain sendmmsg",
        "native": f"bursts of {BURST}, UDP segmentation as it comes",
        "native bursts of 10": "bursts of 10, UDP segmentation as it comes",
    }
    rows = []
    if "native ingest" in runs:
        cpu = [cpu for cpu, _ in runs["native ingest"]]
        rows.append(Figure.of_runs("CPU of ingest a packet, native, from the socket on", cpu, "µs"))
    for name, share in kernel_shares.items():
        cpu = [cpu for cpu, _ in runs[name]]
        figure = f"CPU a packet and viewer, {VIEWERS} viewers, native tight loop, {titles[name]}"
        rows += [
            Figure.of_runs(figure, cpu, "µs", peer="aiortc _send_rtp", peer_values=aiortc),
            Figure(f"{figure}: in the kernel", share * statistics.median(cpu), "µs", runs=RUNS),
        ]
    return rows


def figures(runs: dict[str, list[tuple[float, float]]], *, segments: bool) -> list[Figure]:
    """The table's rows."""
    cpu = {name: [cpu for cpu, _ in values] for name, values in runs.items()}
    wall = {name: [wall for _, wall in values] for name, values in runs.items()}
    name = f"a packet and viewer, {VIEWERS} viewers"
    aiortc = "aiortc _send_rtp"

    def forwarding(title: str, way: str) -> Figure:
        figure = f"CPU {name}, {title}"
        return Figure.of_runs(figure, cpu[way], "µs", peer=aiortc, peer_values=cpu["aiortc"])

    def viewers_a_core(way: str) -> float:
        return 1e6 / PACKETS_PER_S / statistics.median(cpu[way])

    offload = "UDP segmentation" if segments else "no UDP segmentation here"
    return [
        forwarding(f"bursts of {BURST}, {offload}", "as it comes"),
        Figure.of_runs(
            f"wall time {name}, bursts of {BURST}",
            wall["as it comes"],
            "µs",
            peer=aiortc,
            peer_values=wall["aiortc"],
        ),
        forwarding("bursts of 10", "bursts of 10"),
        forwarding("one by one", "one by one"),
        forwarding(f"bursts of {BURST}, plain sendto", "plain"),
        Figure(
            "viewers a core of a 2.5 Mbit/s stream",
            viewers_a_core("as it comes"),
            "viewers",
            peer=aiortc,
            peer_value=viewers_a_core("aiortc"),
            runs=RUNS,
            better="more",
        ),
        Figure.of_runs("CPU of ingest a packet", cpu["ingest"], "µs"),
    ]
