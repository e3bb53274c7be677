"""aiortc as the other side of WHIP and WHEP, and a worker on a free loopback port."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import UUID

import aioice.ice
import pytest
from aiortc.mediastreams import AudioStreamTrack

from config.media import MediaSettings
from media.events import MediaEvent
from media.worker import MediaWorker
from tests.support.native import require_native
from tests.support.webrtc import Client, SmallPicture

OFFERS = Path(__file__).parent / "wire/offers"
STREAM = UUID(int=5)
OWNER = UUID(int=1)


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


@pytest.fixture
def offer_text() -> Callable[[str], str]:
    """An offer of a real client by the name of its file, with the line ends of SDP."""
    return lambda name: (OFFERS / f"{name}.sdp").read_text().replace("\n", "\r\n")


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


@pytest.fixture(params=["python", "native"])
def plane(request: pytest.FixtureRequest) -> str:
    """Each of the data planes in turn, as far as they are built here."""
    if request.param == "native":
        require_native()
    name: str = request.param
    return name


@pytest.fixture
async def start_worker(
    events: Events, plane: str
) -> AsyncIterator[Callable[..., Awaitable[MediaWorker]]]:
    """Starts workers with changed settings."""
    workers: list[MediaWorker] = []

    async def start(**settings: object) -> MediaWorker:
        worker = MediaWorker(
            MediaSettings(**{"udp_port": 0, "plane": plane, **settings}), on_event=events
        )  # type: ignore[arg-type]
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
