"""Workers die in a random order while people publish and watch; in the end everybody sees again.

The seed is in the test's name; `pytest -k` runs one again.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from aiortc.mediastreams import AudioStreamTrack

from media.errors import MediaRefusal
from media.pool.pool import MediaPool
from tests.media.conftest import OWNER, Events
from tests.media.pool.conftest import StartPool
from tests.media.pool.test_pool import kill
from tests.support.webrtc import Client

pytestmark = pytest.mark.slow

STREAMS = [UUID(int=number) for number in (21, 22)]
VIEWERS_EACH = 3
DEATHS = 8
PATIENCE_S = 30

Make = Callable[[], Client]


class Person:
    """Publishes or watches, and does it again whenever its session is gone, as the pages do."""

    def __init__(self, pool: MediaPool, make: Make, stream_id: UUID, *, publishes: bool) -> None:
        self._pool = pool
        self._make = make
        self._stream_id = stream_id
        self._publishes = publishes
        self.session = ""
        self.peer: Client | None = None

    async def run(self) -> None:
        while True:
            try:
                await self._begin()
                await self._until_gone()
            except (MediaRefusal, TimeoutError):
                await asyncio.sleep(0.1)  # the server said when to try again

    async def _begin(self) -> None:
        peer = self._make()
        if self._publishes:
            peer.pc.addTransceiver(AudioStreamTrack(), direction="sendonly")
            await peer.connect_async(lambda o: self._pool.publish(self._stream_id, OWNER, o))
        else:
            peer.pc.addTransceiver("audio", direction="recvonly")
            await peer.connect_async(lambda o: self._pool.watch(self._stream_id, o))
        self.session, self.peer = peer.session_id, peer

    async def _until_gone(self) -> None:
        ask = self._pool.patch_publisher if self._publishes else self._pool.patch_viewer
        while True:
            await ask(self._stream_id, self.session, "a=end-of-candidates", "*")
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("seed", [1, 2])
async def test_everybody_sees_again_after_any_deaths(
    start_pool: StartPool,
    client: Make,
    events: Events,
    caplog: pytest.LogCaptureFixture,
    seed: int,
) -> None:
    chance = random.Random(seed)
    pool = await start_pool(
        workers=3, cascade_viewers=1, takeover_silence_s=0.3, consent_timeout_s=5.0
    )
    publishers = [Person(pool, client, each, publishes=True) for each in STREAMS]
    viewers = [
        Person(pool, client, each, publishes=False) for each in STREAMS for _ in range(VIEWERS_EACH)
    ]
    running = [asyncio.create_task(each.run()) for each in (*publishers, *viewers)]
    try:
        await eventually(lambda: all_watched(pool))
        for death in range(1, DEATHS + 1):
            await asyncio.sleep(chance.uniform(0.0, 0.6))
            async with asyncio.timeout(PATIENCE_S):
                while not pool.ports:
                    await asyncio.sleep(0.01)
            alive = [name for name, each in pool._members.items() if each.client is not None]
            kill(pool, chance.choice(alive))
            async with asyncio.timeout(PATIENCE_S):
                while pool.restarts < death:
                    await asyncio.sleep(0)
        await eventually(lambda: all_watched(pool))
        for viewer in viewers:
            assert viewer.peer is not None
            for _ in range(50):  # a second of sound, which nobody can have kept
                await viewer.peer.frame("audio")
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    assert pool.restarts == DEATHS
    assert [record for record in caplog.records if record.exc_info] == []


async def all_watched(pool: MediaPool) -> bool:
    """Whether every stream is live, with all of its viewers."""
    stats = [await pool.stats(stream_id) for stream_id in STREAMS]
    return all(each is not None and each.viewers == VIEWERS_EACH for each in stats)


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                if await holds():
                    return
            except MediaRefusal:
                pass  # a worker that was asked is down
            await asyncio.sleep(0.1)
