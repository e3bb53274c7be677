"""Dead letters: entries that a group could not handle, kept aside with the reason.

A person reads them, sends one back to the group once its cause is mended, or discards it. What is
sent back goes to a stream of the group's own, so that no other group sees it again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from server.bus.stream import FIELD, STREAM_KEY

NEWEST = "+"

SEND_BACK = """
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
if #found == 0 then return 0 end
redis.call('XADD', KEYS[2], '*', unpack(found[1][2]))
redis.call('XDEL', KEYS[1], ARGV[1])
return 1
"""
"""A script, so that a letter is in one of both places whatever ends in between."""

_LETTER_ID = re.compile(r"([0-9]{1,20})-([0-9]{1,20})")
_MAX_PART = 2**64 - 1


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One entry that was set aside."""

    letter_id: str
    entry_id: str
    """Its id in the stream it was read from."""
    deliveries: int
    reason: str
    payload: bytes
    set_aside_at: datetime


def dead_key(group: str) -> str:
    """The stream of a group's dead letters."""
    return f"{STREAM_KEY}:dead:{group}"


def returned_key(group: str) -> str:
    """The stream of what was sent back to a group."""
    return f"{STREAM_KEY}:returned:{group}"


class DeadLetters:
    """The dead letters of all groups; every method raises redis.RedisError."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def count(self, group: str) -> int:
        return int(await self._redis.xlen(dead_key(group)))

    async def listed(self, group: str, *, before: str | None, limit: int) -> list[DeadLetter]:
        """Newest first; `before` is the last letter id of the page before."""
        newest = NEWEST if before is None else f"({before}"
        found: Any = await self._redis.xrevrange(dead_key(group), newest, count=limit)
        return [_letter(letter_id.decode(), fields) for letter_id, fields in found]

    async def send_back(self, group: str, letter_id: str) -> bool:
        """Have the group handle it again; whether there was such a letter."""
        keys = dead_key(group), returned_key(group)
        return is_letter_id(letter_id) and bool(
            await self._redis.eval(SEND_BACK, len(keys), *keys, letter_id)
        )

    async def discard(self, group: str, letter_id: str) -> bool:
        """Forget it; whether there was such a letter."""
        return is_letter_id(letter_id) and bool(await self._redis.xdel(dead_key(group), letter_id))


def is_letter_id(text: str) -> bool:
    """Whether a letter may have this id: two numbers of 64 bits, not both 0, as Redis has them."""
    found = _LETTER_ID.fullmatch(text)
    return found is not None and 0 < max(map(int, found.groups())) <= _MAX_PART


def _letter(letter_id: str, fields: dict[bytes, bytes]) -> DeadLetter:
    milliseconds = int(letter_id.partition("-")[0])
    return DeadLetter(
        letter_id=letter_id,
        entry_id=fields.get(b"entry_id", b"").decode(),
        deliveries=int(fields.get(b"deliveries", b"0")),
        reason=fields.get(b"reason", b"").decode("utf-8", "replace"),
        payload=fields.get(FIELD, b""),
        set_aside_at=datetime.fromtimestamp(milliseconds / 1000, UTC),
    )
