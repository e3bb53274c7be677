"""A ledger on the test's own database, shorthand for the people in it, and a faulty network."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg
import pytest

from config.ledger import LedgerSettings
from ledger.gifts import GiftRequest
from ledger.service import LedgerService
from ledger.store import LedgerStore
from server.database import create_pool

ADMIN = uuid4()


@dataclass
class Recorder:
    """What the service told its collaborators."""

    observed: list[tuple[str, str]] = field(default_factory=list)
    wakes: int = 0

    def observe(self, operation: str, seconds: float, outcome: str) -> None:
        assert seconds >= 0
        self.observed.append((operation, outcome))

    def wake(self) -> None:
        self.wakes += 1


@pytest.fixture
def settings() -> LedgerSettings:
    return LedgerSettings()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def store(pool: asyncpg.Pool, settings: LedgerSettings) -> LedgerStore:
    return LedgerStore(pool, settings)


@pytest.fixture
def ledger(store: LedgerStore, settings: LedgerSettings, recorder: Recorder) -> LedgerService:
    return LedgerService(settings, store, wake=recorder.wake, observer=recorder)


@pytest.fixture
def gift() -> Callable[..., GiftRequest]:
    """A sound request: one rose, from somebody to somebody else; keywords replace its fields."""

    def make(**fields: Any) -> GiftRequest:
        sound: dict[str, Any] = {
            "request_id": uuid4(),
            "payer_id": uuid4(),
            "payer_name": "Vera",
            "payee_id": uuid4(),
            "stream_id": uuid4(),
            "gift_id": "rose",
            "count": 1,
        }
        return GiftRequest(**sound | fields)

    return make


@pytest.fixture
def fund(ledger: LedgerService) -> Callable[[UUID, int], Any]:
    """Give coins to a user."""

    async def grant(user_id: UUID, amount_minor: int) -> None:
        await ledger.grant(
            request_id=uuid4(),
            user_id=user_id,
            amount_minor=amount_minor,
            reason="test",
            granted_by=ADMIN,
        )

    return grant


class Proxy:
    """A loopback TCP proxy in front of PostgreSQL that loses answers, or refuses connections."""

    def __init__(self, database_url: str) -> None:
        self._target = urlsplit(database_url)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._losing = False
        self.lost = 0

    @property
    def url(self) -> str:
        user, _, _ = self._target.netloc.rpartition("@")
        return self._target._replace(netloc=f"{user}@127.0.0.1:{self._port}").geturl()

    async def accept(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Cut every connection, and take no new ones."""
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
        await self._server.wait_closed()

    def lose_next_answer(self) -> None:
        """Cut the connection that PostgreSQL answers on next, in place of the answer."""
        self._losing = True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection(
            self._target.hostname, self._target.port
        )
        self._writers |= {writer, up_writer}
        with suppress(OSError):
            await asyncio.gather(self._pump(reader, up_writer), self._answers(up_reader, writer))
        for each in (writer, up_writer):
            each.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(2**16):
            writer.write(data)
        raise ConnectionAbortedError

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(2**16):
            if self._losing:
                self._losing = False
                self.lost += 1
                break
            writer.write(data)
        raise ConnectionAbortedError


@pytest.fixture
async def proxy(database_url: str) -> AsyncIterator[Proxy]:
    proxy = Proxy(database_url)
    await proxy.accept()
    yield proxy
    await proxy.refuse()


@pytest.fixture
async def distant_pool(proxy: Proxy) -> AsyncIterator[asyncpg.Pool]:
    """Connections that lead through the proxy."""
    pool = await create_pool(proxy.url)
    yield pool
    pool.terminate()
