"""The chat's stores in Redis: implementations of chat.ports.

Keys of a room share a hash tag, so that one script may touch them all in a cluster:

    sociallive:chat:{room}:bus        channel: events of the room
    sociallive:chat:{room}:ids        sorted set: ids of the last messages and gifts by time (ms)
    sociallive:chat:{room}:history    hash: payloads of the newest of them by id
    sociallive:chat:{room}:timeouts   sorted set: user ids by the end of their timeout (ms)
    sociallive:chat:{room}:viewers    hash: node -> "viewers expiry_ms"

Every key expires; every one is bounded. What is kept and announced, is so in one script.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from chat.ports import BusListener, Entry
from config.chat import ChatSettings

log = logging.getLogger(__name__)

KNOWN_IDS: Final = 1000
"""How many messages of a room can still be deleted, and how many repeats are told apart."""
HISTORY_TTL_S: Final = 7 * 24 * 3600
PING_S: Final = 5.0
RECONNECT_S: Final = 0.5
STOP_RETRY_S: Final = 0.2

# Appending an old event again puts it at its old place, where it is cut off: idempotent.
_APPEND: Final = """
local added = redis.call('ZADD', KEYS[1], 'NX', ARGV[2], ARGV[1])
if added == 1 then
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
  local beyond = redis.call('ZRANGE', KEYS[1], 0, -tonumber(ARGV[4]) - 1)
  if #beyond > 0 then redis.call('HDEL', KEYS[2], unpack(beyond)) end
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -tonumber(ARGV[5]) - 1)
  redis.call('EXPIRE', KEYS[1], ARGV[6])
  redis.call('EXPIRE', KEYS[2], ARGV[6])
end
if ARGV[7] ~= '' then redis.call('PUBLISH', ARGV[7], ARGV[3]) end
return added
"""

_REMOVE: Final = """
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1
"""

_LAST: Final = """
local ids = redis.call('ZRANGE', KEYS[1], -tonumber(ARGV[1]), -1)
if #ids == 0 then return {} end
return redis.call('HMGET', KEYS[2], unpack(ids))
"""

_TIME_OUT: Final = """
local time = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', time[1] * 1000 + math.floor(time[2] / 1000))
if tonumber(ARGV[2]) == 0 then
  redis.call('ZREM', KEYS[1], ARGV[1])
else
  redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -tonumber(ARGV[3]) - 1)
end
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
if #last > 0 then redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', last[2])) end
redis.call('PUBLISH', ARGV[4], ARGV[5])
"""

_REPORT: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local node, viewers, ttl = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local total, before = 0, 0
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local count, expiry = string.match(fields[i + 1], '(%d+) (%d+)')
  if tonumber(expiry) <= now then
    redis.call('HDEL', KEYS[1], fields[i])
  elseif fields[i] == node then
    before = tonumber(count)
  else
    total = total + tonumber(count)
  end
end
if viewers > 0 then
  redis.call('HSET', KEYS[1], node, string.format('%d %.0f', viewers, now + ttl))
  redis.call('PEXPIRE', KEYS[1], ttl)
else
  redis.call('HDEL', KEYS[1], node)
end
if viewers ~= before then redis.call('PUBLISH', ARGV[4], ARGV[5]) end
return total + viewers
"""


class RedisHistory:
    """chat.ports.History."""

    def __init__(self, redis: Redis, settings: ChatSettings) -> None:
        self._size = settings.history_size
        self._append = redis.register_script(_APPEND)
        self._remove = redis.register_script(_REMOVE)
        self._last = redis.register_script(_LAST)

    async def post(self, entry: Entry) -> None:
        await self._add(entry, _key(entry.room, "bus"))

    async def keep(self, entry: Entry) -> None:
        await self._add(entry, "")

    async def _add(self, entry: Entry, channel: str) -> None:
        await self._append(
            keys=self._keys(entry.room),
            args=[
                entry.key,
                entry.at_ms,
                entry.payload,
                self._size,
                KNOWN_IDS,
                HISTORY_TTL_S,
                channel,
            ],
        )

    async def remove(self, room: str, key: str, announcement: bytes) -> bool:
        args: list[str | bytes] = [key, _key(room, "bus"), announcement]
        return bool(await self._remove(keys=self._keys(room), args=args))

    async def last(self, room: str) -> Sequence[bytes]:
        payloads = await self._last(keys=self._keys(room), args=[self._size])
        return [payload for payload in payloads if payload is not None]

    @staticmethod
    def _keys(room: str) -> list[str]:
        return [_key(room, "ids"), _key(room, "history")]


class RedisModerationStore:
    """chat.ports.ModerationStore."""

    def __init__(self, redis: Redis, settings: ChatSettings) -> None:
        self._redis = redis
        self._capacity = settings.max_timeouts_per_room
        self._time_out = redis.register_script(_TIME_OUT)

    async def time_out(self, room: str, user_id: UUID, until_ms: int, announcement: bytes) -> None:
        await self._time_out(
            keys=[_key(room, "timeouts")],
            args=[str(user_id), until_ms, self._capacity, _key(room, "bus"), announcement],
        )

    async def timeouts(self, room: str) -> Mapping[UUID, int]:
        rows: Any = await self._redis.zrange(_key(room, "timeouts"), 0, -1, withscores=True)
        return {UUID(user_id.decode()): int(until_ms) for user_id, until_ms in rows}


class RedisPresence:
    """chat.ports.Presence; `node` names this process among all."""

    def __init__(self, redis: Redis, settings: ChatSettings, node: str) -> None:
        self._redis = redis
        self._node = node
        self._ttl_ms = round(settings.presence_ttl_s * 1000)
        self._report = redis.register_script(_REPORT)

    async def report(self, counts: Mapping[str, int], signal: bytes) -> Mapping[str, int]:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for room, viewers in counts.items():
                await self._report(
                    keys=[_key(room, "viewers")],
                    args=[self._node, viewers, self._ttl_ms, _key(room, "bus"), signal],
                    client=pipeline,
                )
            totals = await pipeline.execute()
        return dict(zip(counts, totals, strict=True))


class RedisBus:
    """chat.ports.Bus by publish and subscribe, over one listening connection.

    However that connection comes back after a break, Redis confirms every subscription again; so a
    second confirmation says that something may have been missed.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._confirmed: dict[str, asyncio.Future[None]] = {}
        """By channel that is wanted; done when it was confirmed once."""
        self._sending = asyncio.Lock()
        self._pubsub: PubSub | None = None
        self._reader: asyncio.Task[None] | None = None

    async def start(self, listener: BusListener) -> None:
        """Listen in the background; without Redis it keeps trying."""
        self._reader = asyncio.create_task(self._listen(listener))

    async def stop(self) -> None:
        """Stop listening."""
        while self._reader is not None and not self._reader.done():
            self._reader.cancel()  # again and again: redis-py may lose one while it reads
            await asyncio.wait([self._reader], timeout=STOP_RETRY_S)

    async def publish(self, room: str, payload: bytes) -> None:
        await self._redis.publish(_key(room, "bus"), payload)

    async def subscribe(self, room: str) -> None:
        channel = _key(room, "bus")
        if channel not in self._confirmed:
            self._confirmed[channel] = asyncio.get_running_loop().create_future()
        confirmed = self._confirmed[channel]
        async with self._sending:
            if self._pubsub is not None and not confirmed.done():
                await self._pubsub.subscribe(channel)
        await asyncio.shield(confirmed)

    async def unsubscribe(self, room: str) -> None:
        channel = _key(room, "bus")
        self._confirmed.pop(channel, None)
        async with self._sending:
            if self._pubsub is not None and channel not in self._confirmed:
                await self._pubsub.unsubscribe(channel)

    async def _listen(self, listener: BusListener) -> None:
        while True:
            pubsub = self._redis.pubsub()
            try:
                async with self._sending:
                    await pubsub.connect()  # type: ignore[no-untyped-call]
                    if self._confirmed:
                        await pubsub.subscribe(*self._confirmed)
                    self._pubsub = pubsub
                await self._read(pubsub, listener)
            except (RedisError, OSError) as error:
                log.warning("the chat bus lost Redis", extra={"error": str(error)})
            finally:
                self._pubsub = None
                with contextlib.suppress(RedisError, OSError):
                    await pubsub.aclose()  # type: ignore[no-untyped-call]
            await asyncio.sleep(RECONNECT_S)

    async def _read(self, pubsub: PubSub, listener: BusListener) -> None:
        is_silent = False
        while True:
            message = await pubsub.get_message(timeout=PING_S)
            if message is not None:
                is_silent = False
                self._handle(message, listener)
            elif is_silent:
                raise RedisConnectionError("no answer to a ping")
            else:
                is_silent = True
                async with self._sending:
                    await pubsub.ping()

    def _handle(self, message: Mapping[str, Any], listener: BusListener) -> None:
        if message["type"] == "message":
            listener.received(_room(message["channel"]), message["data"])
        elif message["type"] == "subscribe":
            confirmed = self._confirmed.get(message["channel"].decode())
            if confirmed is None:
                return
            if confirmed.done():
                listener.resumed()
            else:
                confirmed.set_result(None)


def _key(room: str, name: str) -> str:
    return f"sociallive:chat:{{{room}}}:{name}"


def _room(channel: bytes) -> str:
    return channel.decode().split("{", 1)[1].split("}", 1)[0]
