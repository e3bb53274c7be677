"""Sessions in Redis: one string a user, replaced by compare-and-set.

The value is a JSON array of the user's sessions; it lives as long as the last of them.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import orjson
from redis.asyncio import Redis

from identity.errors import IdentityBusy
from identity.sessions import Session, Sessions

T = TypeVar("T")

# Everyone who loses an attempt lost it to another's success, on the sessions of the same user.
MAX_ATTEMPTS = 20

# KEYS: the user's. ARGV: value read, value to put there ('' = none), its end in ms since the epoch.
# Also says yes where the new value is there already: the client repeats a command whose answer was
# lost.
_COMPARE_AND_SET = """
local held = redis.call('GET', KEYS[1]) or ''
if held == ARGV[2] then return 1 end
if held ~= ARGV[1] then return 0 end
if ARGV[2] == '' then
    redis.call('DEL', KEYS[1])
else
    redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3])
end
return 1
"""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class RedisSessions:
    """The `identity.sessions.SessionStore` of the product."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._compare_and_set = redis.register_script(_COMPARE_AND_SET)

    async def read(self, user_id: UUID) -> Sessions:
        """See SessionStore."""
        return _decode(await self._value(user_id))

    async def update(self, user_id: UUID, change: Callable[[Sessions], tuple[Sessions, T]]) -> T:
        """See SessionStore."""
        for _ in range(MAX_ATTEMPTS):
            value = await self._value(user_id)
            sessions, result = change(_decode(value))
            if await self._compare_and_set(keys=[_key(user_id)], args=[value, *_encode(sessions)]):
                return result
        raise IdentityBusy

    async def clear(self, user_id: UUID) -> None:
        """See SessionStore."""
        await self._redis.delete(_key(user_id))

    async def _value(self, user_id: UUID) -> bytes | str:
        return await self._redis.get(_key(user_id)) or b""


def _key(user_id: UUID) -> str:
    return f"sociallive:identity:sessions:{user_id}"


def _encode(sessions: Sessions) -> tuple[bytes, int]:
    """The value, empty for no sessions, and the end of the last of them."""
    rows = [
        {
            "session_id": str(each.session_id),
            "family_hash": each.family_hash,
            "secret_hash": each.secret_hash,
            "generation": each.generation,
            "expires_ms": (each.expires_at - _EPOCH) // _MILLISECOND,
        }
        for each in sessions
    ]
    if not rows:
        return b"", 0
    return orjson.dumps(rows), max((each.expires_at - _EPOCH) // _MILLISECOND for each in sessions)


def _decode(value: bytes | str) -> Sessions:
    rows: list[dict[str, Any]] = orjson.loads(value) if value else []
    return tuple(
        Session(
            session_id=UUID(row["session_id"]),
            family_hash=row["family_hash"],
            secret_hash=row["secret_hash"],
            generation=row["generation"],
            expires_at=_EPOCH + row["expires_ms"] * _MILLISECOND,
        )
        for row in rows
    )
