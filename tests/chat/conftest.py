"""A chat over real WebSockets and a real Redis; only the other domains are small stand-ins."""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgpack
import orjson
import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from chat.errors import ExpiredToken, GiftRefused, InvalidToken
from chat.members import GiftFace, Member, RoomInfo
from chat.ports import ChatPorts
from chat.server import ChatServer
from config.chat import ChatSettings
from server.chat_redis import RedisBus, RedisHistory, RedisModerationStore, RedisPresence

JSON = "sociallive.v1.json"
MSGPACK = "sociallive.v1.msgpack"


@dataclass
class World:
    """Users by token, streams by id, and a desk that takes gifts of up to 100 coins."""

    members: dict[str, Member] = field(default_factory=dict)
    streams: dict[UUID, RoomInfo] = field(default_factory=dict)
    gifts: list[dict[str, Any]] = field(default_factory=list)
    stream_reads: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """Authentication of the token `slow` waits for it."""

    def user(self, name: str, *roles: str, ttl_s: float = 900) -> str:
        """A new user; returns the token."""
        expires_at = datetime.now(UTC) + timedelta(seconds=ttl_s)
        self.members[name] = Member(uuid4(), name, frozenset(roles or ("viewer",)), expires_at)
        return name

    def stream(self, owner: str = "owner") -> UUID:
        """A new live stream of a user."""
        if owner not in self.members:
            self.user(owner, "streamer")
        stream_id = uuid4()
        self.streams[stream_id] = RoomInfo(stream_id, self.members[owner].user_id, "live")
        return stream_id

    async def authenticate(self, token: str) -> Member:
        if token.startswith("slow"):
            await self.gate.wait()
        if token == "expired":
            raise ExpiredToken
        if token == "broken":
            raise RuntimeError("the session store is down")
        if token not in self.members:
            raise InvalidToken
        return self.members[token]

    async def roles(self, user_id: UUID) -> frozenset[str] | None:
        for member in self.members.values():
            if member.user_id == user_id:
                return member.roles
        return None


class Streams:
    def __init__(self, world: World) -> None:
        self.world = world

    async def stream(self, stream_id: UUID) -> RoomInfo | None:
        self.world.stream_reads += 1
        return self.world.streams.get(stream_id)


class Gifts:
    def __init__(self, world: World) -> None:
        self.world = world

    async def send(self, **gift: Any) -> Mapping[str, Any]:
        if gift["count"] > 100:
            raise GiftRefused("insufficient_funds", "Your balance is 100.", balance_minor=100)
        self.world.gifts.append(gift)
        return {"request_id": str(gift["request_id"]), "total_minor": gift["count"]}

    def face(self, gift_id: str) -> GiftFace | None:
        return GiftFace("Rose", "🌹") if gift_id == "rose" else None


class Client:
    """A client that speaks one of the subprotocols."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.numbers = itertools.count(1)
        self.events: deque[dict[str, Any]] = deque()
        """Events that came while an answer was waited for."""

    async def send(self, t: str, **fields: Any) -> None:
        frame = {"t": t, **{k: str(v) if isinstance(v, UUID) else v for k, v in fields.items()}}
        if self.socket.subprotocol == JSON:
            await self.socket.send(orjson.dumps(frame).decode())
        else:
            await self.socket.send(msgpack.packb(frame))

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(5):
            data = await self.socket.recv()
        frame: dict[str, Any] = (
            orjson.loads(data) if isinstance(data, str) else msgpack.unpackb(data)
        )
        return frame

    async def until(self, t: str, **fields: Any) -> dict[str, Any]:
        """The next frame of this type with these fields; others are passed over."""
        while True:
            frame = self.events.popleft() if self.events else await self.receive()
            if frame["t"] == t and all(frame.get(k) == v for k, v in fields.items()):
                return frame

    async def ask(self, t: str, **fields: Any) -> dict[str, Any]:
        """The answer to a request."""
        number = next(self.numbers)
        await self.send(t, id=number, **fields)
        while True:
            frame = await self.receive()
            if frame.get("id") == number:
                return frame
            self.events.append(frame)

    async def closed(self) -> int | None:
        """The close code; frames that come before are passed over."""
        async with asyncio.timeout(5):
            with suppress(ConnectionClosed):
                while True:
                    await self.socket.recv()
        return self.socket.close_code


StartNode = Callable[..., Awaitable[ChatServer]]
ConnectTo = Callable[..., Awaitable[Client]]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def start_node(world: World, redis_url: str) -> AsyncIterator[StartNode]:
    """Starts nodes of one chat, on one Redis; keyword arguments are settings."""
    nodes: list[tuple[ChatServer, Redis]] = []

    async def start(**overrides: Any) -> ChatServer:
        redis = Redis.from_url(overrides.pop("redis_url", redis_url))
        settings = ChatSettings(
            **{"port": 0, "viewers_interval_s": 0.05, "close_timeout_s": 0.5, **overrides}
        )
        ports = ChatPorts(
            authenticator=world,
            users=world,
            streams=Streams(world),
            gifts=Gifts(world),
            bus=RedisBus(redis),
            history=RedisHistory(redis, settings),
            moderation=RedisModerationStore(redis, settings),
            presence=RedisPresence(redis, settings, node=str(uuid4())),
        )
        node = ChatServer(settings, ports, clock=lambda: datetime.now(UTC))
        nodes.append((node, redis))
        await node.start()
        return node

    yield start
    for node, redis in nodes:
        await node.stop()
        await redis.aclose()


@pytest.fixture
async def connect_to() -> AsyncIterator[ConnectTo]:
    """Connects clients; with `hello` they are greeted, with `join` in a room."""
    sockets: list[ClientConnection] = []

    async def open_client(
        node: ChatServer,
        token: str | None = None,
        *,
        hello: bool = True,
        join: UUID | None = None,
        subprotocol: str = MSGPACK,
        **options: Any,
    ) -> Client:
        socket = await connect(
            f"ws://127.0.0.1:{node.port}/",
            subprotocols=[Subprotocol(subprotocol)],
            compression=None,
            close_timeout=1,
            **options,
        )
        sockets.append(socket)
        client = Client(socket)
        if hello:
            answer = await client.ask("hello", **({"token": token} if token else {}))
            assert answer["t"] == "welcome"
        if join is not None:
            answer = await client.ask("join", stream_id=join)
            assert answer["t"] == "joined"
        return client

    yield open_client
    await asyncio.gather(*(socket.close() for socket in sockets), return_exceptions=True)
