"""The chat's stores in a real Redis: bounded, idempotent, heard when kept."""

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from chat.ports import Entry
from config.chat import ChatSettings
from server import chat_redis
from server.chat_redis import RedisBus, RedisHistory, RedisModerationStore, RedisPresence

ROOM = "room"


class Ear:
    """A BusListener that remembers."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self.breaks = asyncio.Event()

    def received(self, room: str, payload: bytes) -> None:
        self.heard.put_nowait((room, payload))

    def resumed(self) -> None:
        self.breaks.set()

    async def next(self) -> tuple[str, bytes]:
        async with asyncio.timeout(5):
            return await self.heard.get()


@pytest.fixture
async def ear(redis: Redis) -> AsyncIterator[Ear]:
    """Hears what is published to ROOM."""
    ear, bus = Ear(), RedisBus(redis)
    await bus.start(ear)
    await bus.subscribe(ROOM)
    yield ear
    await bus.stop()


@pytest.fixture
def history(redis: Redis) -> RedisHistory:
    return RedisHistory(redis, ChatSettings(history_size=3))


def entry(number: int, room: str = ROOM) -> Entry:
    return Entry(room, f"key {number}", 1000 + number, b"payload %d" % number)


async def test_history_keeps_the_last_in_order(history: RedisHistory) -> None:
    assert await history.last(ROOM) == []
    for number in range(5):
        await history.keep(entry(number))
    await history.keep(entry(0, "another room"))
    assert await history.last(ROOM) == [b"payload 2", b"payload 3", b"payload 4"]


async def test_history_takes_each_key_once_however_late(history: RedisHistory) -> None:
    for number in (0, 1, 1, 2, 3, 4, 0, 1):
        await history.keep(entry(number))
    assert await history.last(ROOM) == [b"payload 2", b"payload 3", b"payload 4"]


async def test_nodes_that_keep_the_same_at_once_keep_it_once(history: RedisHistory) -> None:
    await asyncio.gather(*(history.keep(entry(number % 2)) for number in range(20)))
    assert await history.last(ROOM) == [b"payload 0", b"payload 1"]


async def test_history_is_bounded_and_expires(
    redis: Redis, history: RedisHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_redis, "KNOWN_IDS", 4)
    for number in range(9):
        await history.keep(entry(number))
    assert await redis.zcard("sociallive:chat:{room}:ids") == 4
    assert await redis.hlen("sociallive:chat:{room}:history") == 3
    for name in ("ids", "history"):
        assert 0 < await redis.ttl(f"sociallive:chat:{{room}}:{name}") <= chat_redis.HISTORY_TTL_S


async def test_what_is_posted_is_kept_and_heard(history: RedisHistory, ear: Ear) -> None:
    await history.keep(entry(1))
    await history.post(entry(2))
    assert await ear.next() == (ROOM, b"payload 2")
    assert await history.last(ROOM) == [b"payload 1", b"payload 2"]


async def test_removal_is_heard_once_and_reaches_beyond_the_history(
    history: RedisHistory, ear: Ear
) -> None:
    for number in range(5):
        await history.keep(entry(number))
    assert await history.remove(ROOM, "key 3", b"three is gone")
    assert not await history.remove(ROOM, "key 3", b"again")
    assert await history.remove(ROOM, "key 0", b"zero is gone")
    assert not await history.remove(ROOM, "never there", b"nothing")
    assert [(await ear.next())[1] for _ in range(2)] == [b"three is gone", b"zero is gone"]
    assert ear.heard.empty()
    assert b"payload 3" not in await history.last(ROOM)


async def test_timeouts_are_kept_heard_and_end(redis: Redis, ear: Ear) -> None:
    store = RedisModerationStore(redis, ChatSettings())
    seconds, microseconds = await redis.time()
    now_ms = seconds * 1000 + microseconds // 1000
    ann, bob, past = uuid4(), uuid4(), uuid4()
    await store.time_out(ROOM, past, now_ms - 1, b"past")
    await store.time_out(ROOM, ann, now_ms + 60_000, b"ann")
    await store.time_out(ROOM, bob, now_ms + 30_000, b"bob")
    assert await store.timeouts(ROOM) == {ann: now_ms + 60_000, bob: now_ms + 30_000}
    assert 50_000 < await redis.pttl("sociallive:chat:{room}:timeouts") <= 60_000
    await store.time_out(ROOM, ann, 0, b"lifted")
    assert await store.timeouts(ROOM) == {bob: now_ms + 30_000}
    assert 20_000 < await redis.pttl("sociallive:chat:{room}:timeouts") <= 30_000
    assert [(await ear.next())[1] for _ in range(4)] == [b"past", b"ann", b"bob", b"lifted"]
    assert await store.timeouts("another room") == {}


async def test_timeouts_are_bounded(redis: Redis) -> None:
    store = RedisModerationStore(redis, ChatSettings(max_timeouts_per_room=2))
    far = 4_000_000_000_000
    users = [uuid4() for _ in range(3)]
    for number, user_id in enumerate(users):
        await store.time_out(ROOM, user_id, far + number, b"")
    assert await store.timeouts(ROOM) == {users[1]: far + 1, users[2]: far + 2}


async def test_presence_adds_up_over_nodes(redis: Redis, ear: Ear) -> None:
    settings = ChatSettings()
    near, far = (RedisPresence(redis, settings, node) for node in ("near", "far"))
    assert await near.report({ROOM: 2, "other": 7}, b"changed") == {ROOM: 2, "other": 7}
    assert await far.report({ROOM: 3}, b"changed") == {ROOM: 5}
    assert await near.report({ROOM: 2}, b"changed") == {ROOM: 5}
    assert await near.report({ROOM: 0}, b"changed") == {ROOM: 3}
    assert await far.report({ROOM: 0}, b"changed") == {ROOM: 0}
    assert await redis.exists("sociallive:chat:{room}:viewers") == 0
    assert [await ear.next() for _ in range(4)] == [(ROOM, b"changed")] * 4
    assert ear.heard.empty()
    assert await near.report({}, b"changed") == {}


async def test_a_dead_node_is_counted_no_longer(redis: Redis) -> None:
    settings = ChatSettings(presence_ttl_s=1)
    alive, dead = (RedisPresence(redis, settings, node) for node in ("alive", "dead"))
    await dead.report({ROOM: 9}, b"")
    key = "sociallive:chat:{room}:viewers"
    seconds, _ = await redis.time()
    await redis.hset(key, "dead", f"9 {seconds * 1000 - 1}")
    assert await alive.report({ROOM: 1}, b"") == {ROOM: 1}
    assert await redis.hkeys(key) == [b"alive"]
    assert 0 < await redis.pttl(key) <= 1000


async def test_the_bus_reaches_subscribers_in_one_order(redis: Redis) -> None:
    ears, buses = (Ear(), Ear()), (RedisBus(redis), RedisBus(redis))
    for ear, bus in zip(ears, buses, strict=True):
        await bus.start(ear)
        await bus.subscribe(ROOM)
    await asyncio.gather(
        *(bus.publish(ROOM, b"%d" % number) for number in range(20) for bus in buses)
    )
    orders = [[await ear.next() for _ in range(40)] for ear in ears]
    assert orders[0] == orders[1]
    for bus in buses:
        await bus.stop()


async def test_subscriptions_come_and_go(redis: Redis) -> None:
    ear, bus = Ear(), RedisBus(redis)
    early = asyncio.create_task(bus.subscribe("early"))
    await asyncio.sleep(0)
    await bus.start(ear)
    await early
    for _ in range(3):
        await bus.subscribe(ROOM)
        await asyncio.gather(bus.unsubscribe(ROOM), bus.subscribe(ROOM))
    await bus.publish(ROOM, b"heard")
    await bus.unsubscribe(ROOM)
    await bus.publish(ROOM, b"unheard")
    await bus.publish("early", b"heard too")
    assert [await ear.next(), await ear.next()] == [(ROOM, b"heard"), ("early", b"heard too")]
    await bus.stop()
    await bus.stop()


async def test_the_bus_comes_back_and_says_so(redis: Redis, ear: Ear) -> None:
    for _ in range(2):
        ear.breaks.clear()
        await redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        async with asyncio.timeout(5):
            await ear.breaks.wait()
    await redis.publish("sociallive:chat:{room}:bus", b"still there")
    assert await ear.next() == (ROOM, b"still there")


async def test_a_silent_redis_is_noticed(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, unused_tcp_port_factory: Callable[[], int]
) -> None:
    """A proxy that stops passing bytes on, and keeps its connections."""
    monkeypatch.setattr(chat_redis, "PING_S", 0.05)
    upstream = redis.connection_pool.connection_kwargs
    flowing, connections = asyncio.Event(), 0
    flowing.set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            await flowing.wait()
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        there = await asyncio.open_connection(upstream["host"], upstream["port"])
        await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))

    port = unused_tcp_port_factory()
    proxy = await asyncio.start_server(serve, "127.0.0.1", port)
    ear = Ear()
    async with Redis(
        host="127.0.0.1", port=port, password=upstream.get("password"), db=upstream.get("db", 0)
    ) as client:
        bus = RedisBus(client)
        await bus.start(ear)
        await bus.subscribe(ROOM)
        before = connections
        flowing.clear()
        async with asyncio.timeout(5):
            while connections == before:
                await asyncio.sleep(0.01)
            flowing.set()
            await ear.breaks.wait()
        await bus.stop()
    proxy.close()
