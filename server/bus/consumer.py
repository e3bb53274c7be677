"""One member of a group of consumers on the stream: each entry goes to one of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from compliance.aml.intake import Entry
from server.bus.stream import FIELD, STREAM_KEY, batches, outlast, place, place_of

log = logging.getLogger(__name__)

MAX_DEAD_LETTERS = 10_000
"""Dead letters that are kept, the latest; a person looks at them long before."""

DEAD_LETTER_BYTES = 128 * 2**20
"""Memory that they may take in Redis, about: ten thousand full batches would be gigabytes."""

SET_ASIDE = """
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', unpack(ARGV, 3))
local most, bytes = tonumber(ARGV[2]), redis.call('MEMORY', 'USAGE', KEYS[1], 'SAMPLES', 0)
if bytes <= most then return 0 end
local kept = math.floor(redis.call('XLEN', KEYS[1]) * most / bytes)
return redis.call('XTRIM', KEYS[1], 'MAXLEN', math.max(kept, 1))
"""

GONE_CONSUMER_MS = 3_600_000
"""A consumer that has asked for nothing for so long, and has nothing open, is forgotten."""

FORGET_GONE_CONSUMERS = """
for _, row in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
    local consumer = {}
    for i = 1, #row, 2 do consumer[row[i]] = row[i + 1] end
    if consumer.pending == 0 and consumer.idle >= tonumber(ARGV[2]) then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
    end
end
"""
"""A script, so that nothing is handed to a consumer between the look and its end."""

CLAIM = """
local answer = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4],
                          'COUNT', ARGV[5])
if #answer[3] > 0 then redis.pcall('INCRBY', KEYS[2], #answer[3]) end
return answer
"""
"""A claim takes what left the stream off the group's list: a script, so that this is written down
with it, whoever dies before the answer is used. Where Redis has no memory left for that, whoever
has the answer knows it."""

FORGET_LOST = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""

RAISE_POSITION = """
local position = redis.call('GET', KEYS[1])
if not position or tonumber(position) < tonumber(ARGV[1]) then
    redis.call('SET', KEYS[1], ARGV[1])
end
"""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Delivery(Entry):
    """An entry that was handed to this consumer.

    `sequence` is where in the ledger's log it stands, `after` what stood before it in the stream;
    None where the writer did not say.
    """

    after: int | None = None
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class GroupLag:
    """How far a group is behind, in entries."""

    unread: int
    """Not handed to any consumer yet."""
    unfinished: int
    """Handed out and not acknowledged."""
    lost: int
    """Gone from the stream before the group read them: to be replayed from the ledger's log."""


class ConsumerGroupSource:
    """The `EventSource` of one consumer. While Redis is away its calls wait.

    `consumer` is unique to the process. `claim_idle_ms` is longer than handling an entry takes;
    what is claimed too early is handled twice. It is 0 where one consumer at a time reads, and in
    order: then every read begins with the oldest entry that is not acknowledged. Dead letters go to
    a stream of the group with the fields `events`, `entry_id`, `deliveries` and `reason`.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        group: str,
        consumer: str,
        claim_idle_ms: int,
        key: str = STREAM_KEY,
        is_own: bool = False,
    ) -> None:
        """`is_own`: the stream at `key` is this group's alone, so what is done with leaves it."""
        self._is_own = is_own
        self._redis = redis
        self._key = key
        self._group = group
        self._consumer = consumer
        self._claim_idle_ms = claim_idle_ms
        self._claim_at = 0.0
        self._claim_from = "0-0"
        self.dead_letter_key = f"{STREAM_KEY}:dead:{group}"
        self._position_key = f"{key}:at:{group}"
        self._lost_key = f"{key}:lost:{group}"
        self.lost_entries = 0
        """Entries that left the stream while they were handed out and not acknowledged."""

    async def read(self, *, max_entries: int, block_ms: int) -> list[Delivery]:
        """Stuck entries that are due, else new ones; none when nothing comes in `block_ms`.

        `block_ms` must be below the client's `socket_timeout`.
        """
        return await outlast(lambda: self._in_group(lambda: self._read(max_entries, block_ms)))

    async def ack(self, entry_ids: Sequence[str]) -> None:
        """These entries are done with."""
        if entry_ids:
            await outlast(lambda: self._ack(entry_ids))

    async def dead_letter(self, entry: Entry, reason: str) -> None:
        """Copy the entry with `reason` to the dead letters, and acknowledge it, in one step."""
        await outlast(lambda: self._dead_letter(entry, reason))

    async def copy_to_dead_letters(self, entry: Entry, reason: str) -> None:
        """Copy an entry there that is not one of this stream."""
        _forgotten(await outlast(lambda: self._copy(self._redis, entry, reason)))

    async def lag(self) -> GroupLag:
        """How far the group is behind. Raises redis.RedisError."""
        return await self._in_group(self._lag)

    async def position(self) -> int | None:
        """Up to where in the ledger's log the group was handed entries; None: Redis knows not."""
        position = await outlast(lambda: self._redis.get(self._position_key))
        return None if position is None else int(position)

    async def raise_position(self, sequence: int) -> None:
        """Entries up to there were handed out; it never goes back."""
        await outlast(
            lambda: self._redis.eval(RAISE_POSITION, 1, self._position_key, str(sequence))
        )

    def begin_anew(self) -> None:
        """Look first at what is unfinished: another member may have been at work since."""
        self._claim_at, self._claim_from = 0.0, "0-0"

    async def lost(self) -> int:
        """How many entries left the stream unfinished, of any member, and were not replayed yet."""
        return int(await outlast(lambda: self._redis.get(self._lost_key)) or 0)

    async def forget_lost(self, lost: int) -> None:
        """So many, and no others since, are to be replayed."""
        await outlast(lambda: self._redis.eval(FORGET_LOST, 1, self._lost_key, str(lost)))

    async def finished(self) -> int | None:
        """Up to where in the ledger's log the group has finished everything; None: unknown.

        Before the oldest entry in hand nothing is open, but for what is missing in the stream: that
        is known where the position was raised, and not beyond it.
        """
        position = await self.position()  # first: what is handed out meanwhile lies behind it
        pending: Any = await outlast(
            lambda: self._in_group(lambda: self._redis.xpending(self._key, self._group))
        )
        if position is not None and pending["pending"]:
            oldest = pending["min"].decode()
            found: Any = await outlast(lambda: self._redis.xrange(self._key, oldest, oldest))
            after, _ = place_of(found[0][1]) if found else (None, None)
            position = None if after is None else min(position, after)
        return None if await self.lost() else position  # last: what was lost is not pending

    async def is_drained(self) -> bool:
        """Whether everything in the stream was handed out and finished."""
        return await outlast(lambda: self._in_group(self._is_drained))

    async def _is_drained(self) -> bool:
        own = await self._own_group()
        newest = batches(await self._redis.xrevrange(self._key, count=1))
        # By ids: what Redis calls lag is not known after entries were removed one by one.
        last = place(own["last-delivered-id"].decode())
        return not own["pending"] and (not newest or place(newest[0][0]) <= last)

    async def _own_group(self) -> Mapping[str, Any]:
        groups = {group["name"]: group for group in await self._redis.xinfo_groups(self._key)}
        own = groups.get(self._group.encode())
        if own is None:
            raise ResponseError(f"NOGROUP {self._group}")
        return own

    async def _read(self, max_entries: int, block_ms: int) -> list[Delivery]:
        return await self._claim_when_due(max_entries) or await self._next(max_entries, block_ms)

    async def _next(self, max_entries: int, block_ms: int) -> list[Delivery]:
        answer: Any = await self._redis.xreadgroup(
            self._group, self._consumer, {self._key: ">"}, count=max_entries, block=block_ms
        )
        return [
            Delivery(entry_id.decode(), fields.get(FIELD, b""), 1, *place_of(fields))
            for _, entries in answer
            for entry_id, fields in entries
        ]

    async def _claim_when_due(self, max_entries: int) -> list[Delivery]:
        now = asyncio.get_running_loop().time()
        if now < self._claim_at:
            return []
        claimed, deleted = await self._claim(max_entries)
        if self._claim_from == "0-0":  # all were looked at; else the next read goes on from there
            self._claim_at = now + self._claim_idle_ms / 1000 / 2
            await self._forget_gone_consumers()
        if deleted:
            self.lost_entries += len(deleted)
            log.error("entries left the stream unfinished", extra={"entries": len(deleted)})
        deliveries = await self._deliveries([entry_id for entry_id, _ in claimed])
        return [
            Delivery(entry_id, fields.get(FIELD, b""), count, *place_of(fields))
            for (entry_id, fields), count in zip(claimed, deliveries, strict=True)
        ]

    async def _claim(
        self, max_entries: int
    ) -> tuple[list[tuple[str, Mapping[bytes, bytes]]], list[Any]]:
        """The next stuck entries, and the ids of those that the stream has no more."""
        in_order = not self._claim_idle_ms
        if in_order:
            self._claim_from = "0-0"  # what was handed out last may have failed: it comes again
        gone: list[Any] = []
        while True:
            answer: Any = await self._redis.eval(
                CLAIM,
                2,
                self._key,
                self._lost_key,
                self._group,
                self._consumer,
                str(self._claim_idle_ms),
                self._claim_from,
                str(max_entries),
            )
            next_from, claimed, deleted = answer
            self._claim_from = next_from.decode()
            gone += deleted
            if claimed or not in_order or self._claim_from == "0-0":
                return [(at.decode(), _pairs(fields)) for at, fields in claimed], gone

    async def _deliveries(self, entry_ids: Sequence[str]) -> list[int]:
        """How often each entry was handed out, this time included."""
        if not entry_ids:
            return []
        async with self._redis.pipeline(transaction=False) as pipeline:
            for entry_id in entry_ids:
                pipeline.xpending_range(self._key, self._group, entry_id, entry_id, 1)
            answers = await pipeline.execute()
        # Finished by its former consumer just now: handled again once, which readers must bear.
        return [answer[0]["times_delivered"] if answer else 1 for answer in answers]

    async def _forget_gone_consumers(self) -> None:
        await self._redis.eval(
            FORGET_GONE_CONSUMERS, 1, self._key, self._group, str(GONE_CONSUMER_MS)
        )

    async def _ack(self, entry_ids: Sequence[str]) -> None:
        async with self._redis.pipeline(transaction=True) as pipeline:
            self._done(pipeline, entry_ids)
            await pipeline.execute()

    async def _dead_letter(self, entry: Entry, reason: str) -> None:
        async with self._redis.pipeline(transaction=True) as pipeline:
            self._copy(pipeline, entry, reason)
            self._done(pipeline, [entry.entry_id])
            _forgotten((await pipeline.execute())[0])

    def _done(self, pipeline: Redis, entry_ids: Sequence[str]) -> None:
        pipeline.xack(self._key, self._group, *entry_ids)
        if self._is_own:
            pipeline.xdel(self._key, *entry_ids)

    def _copy(self, to: Redis, entry: Entry, reason: str) -> Awaitable[Any]:
        bounds = str(MAX_DEAD_LETTERS), str(DEAD_LETTER_BYTES)
        fields = (
            *(FIELD, entry.payload),
            *("entry_id", entry.entry_id),
            *("deliveries", str(entry.deliveries)),
            *("reason", reason),
        )
        return to.eval(SET_ASIDE, 1, self.dead_letter_key, *bounds, *fields)

    async def _lag(self) -> GroupLag:
        length = int(await self._redis.xlen(self._key))
        own = await self._own_group()
        # Redis counts what was ever added, so what it calls lag can be more than is left.
        behind = int(own["lag"] or 0)
        return GroupLag(behind, int(own["pending"]), max(0, behind - length))

    async def _in_group(self, command: Callable[[], Awaitable[T]]) -> T:
        """Run `command`; where Redis has no such group yet, or no more, make it and run again."""
        try:
            return await command()
        except ResponseError as error:
            if not str(error).startswith(("NOGROUP", "no such key")):
                raise
        await self._create_group()
        return await command()

    async def _create_group(self) -> None:
        """From the very first entry on, so that nothing written before is passed over."""
        try:
            await self._redis.xgroup_create(self._key, self._group, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise


def _pairs(fields: Sequence[bytes]) -> Mapping[bytes, bytes]:
    """Fields of an entry as a script answers them: names and values in turn."""
    return dict(zip(fields[::2], fields[1::2], strict=True))


def _forgotten(letters: int) -> None:
    if letters:
        log.error("dead letters were forgotten: there are too many", extra={"letters": letters})
