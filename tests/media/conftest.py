"""aiortc as the other side of WHIP and WHEP, and a worker on a free loopback port."""

import asyncio
import fractions
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import aioice.ice
import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack, VideoStreamTrack
from av import VideoFrame

from config.media import MediaSettings
from media.events import MediaEvent
from media.worker import Accepted, MediaWorker

STREAM = UUID(int=5)
OWNER = UUID(int=1)


class SmallPicture(VideoStreamTrack):
    """30 tiny pictures a second, cheap to encode."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    async def recv(self) -> VideoFrame:
        await asyncio.sleep(1 / 30)
        frame = VideoFrame(64, 48, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([self._count % 256]) * plane.buffer_size)
        frame.pts, frame.time_base = self._count * 3000, fractions.Fraction(1, 90_000)
        self._count += 1
        return frame


class Events:
    """What a worker told, in order, and a way to wait for the next."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[MediaEvent] = asyncio.Queue()

    def __call__(self, event: MediaEvent) -> None:
        self._queue.put_nowait(event)

    async def next(self) -> MediaEvent:
        return await asyncio.wait_for(self._queue.get(), 15)

    def pending(self) -> list[MediaEvent]:
        events = []
        while not self._queue.empty():
            events.append(self._queue.get_nowait())
        return events


class Client:
    """One peer connection, and the session that it has at the worker."""

    def __init__(self) -> None:
        self.pc = RTCPeerConnection()
        self.tracks: list[MediaStreamTrack] = []
        self.accepted: Accepted | None = None
        self.pc.on("track", self.tracks.append)

    async def offer(self) -> str:
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return self.pc.localDescription.sdp

    async def connect(self, post: Callable[[str], Accepted]) -> Accepted:
        self.accepted = accepted = post(await self.offer())
        await self.pc.setRemoteDescription(
            RTCSessionDescription(sdp=accepted.answer, type="answer")
        )
        return accepted

    async def connected(self) -> None:
        """Wait until this end has finished its handshake, too."""
        while self.pc.connectionState != "connected":
            changed = asyncio.Event()
            self.pc.once("connectionstatechange", changed.set)
            await asyncio.wait_for(changed.wait(), 15)

    async def frame(self, kind: str) -> Any:
        """The next decoded frame."""
        track = next(track for track in self.tracks if track.kind == kind)
        return await asyncio.wait_for(track.recv(), 15)

    async def vanish(self) -> None:
        """Be gone without a word, as a killed program or a lost network."""
        for transceiver in self.pc.getTransceivers():
            await transceiver.sender.transport.transport._connection.close()

    @property
    def session_id(self) -> str:
        assert self.accepted is not None
        return self.accepted.session_id


@pytest.fixture
async def client(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[[], Client]]:
    """Makes clients that offer loopback candidates only."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda **_: ["127.0.0.1"])
    clients: list[Client] = []

    def make() -> Client:
        clients.append(Client())
        return clients[-1]

    yield make
    await asyncio.gather(*(each.pc.close() for each in clients))


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
async def start_worker(
    events: Events,
) -> AsyncIterator[Callable[..., Awaitable[MediaWorker]]]:
    """Starts workers with changed settings."""
    workers: list[MediaWorker] = []

    async def start(**settings: object) -> MediaWorker:
        worker = MediaWorker(MediaSettings(**{"udp_port": 0, **settings}), on_event=events)  # type: ignore[arg-type]
        await worker.start()
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        await worker.stop()


@pytest.fixture
async def worker(start_worker: Callable[..., Awaitable[MediaWorker]]) -> MediaWorker:
    return await start_worker()


@pytest.fixture
def publish(
    client: Callable[[], Client],
) -> Callable[[MediaWorker], Awaitable[Client]]:
    """Connects a publisher of picture and sound."""

    async def connect(worker: MediaWorker) -> Client:
        publisher = client()
        publisher.pc.addTransceiver(SmallPicture(), direction="sendonly")
        publisher.pc.addTransceiver(AudioStreamTrack(), direction="sendonly")
        await publisher.connect(lambda offer: worker.publish(STREAM, OWNER, offer))
        await publisher.connected()
        return publisher

    return connect


@pytest.fixture
def watch(client: Callable[[], Client]) -> Callable[[MediaWorker], Awaitable[Client]]:
    """Connects a viewer of picture and sound."""

    async def connect(worker: MediaWorker) -> Client:
        viewer = client()
        viewer.pc.addTransceiver("video", direction="recvonly")
        viewer.pc.addTransceiver("audio", direction="recvonly")
        await viewer.connect(lambda offer: worker.watch(STREAM, offer))
        return viewer

    return connect
