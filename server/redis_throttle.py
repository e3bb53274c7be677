"""Counts of login attempts in Redis, one key a subject; a key ends with its window."""

from redis.asyncio import Redis

# KEYS: the subject's. ARGV: limit, window in ms. Returns ms to wait, 0 where the attempt counts.
_TAKE = """
local count = tonumber(redis.call('GET', KEYS[1]) or '0')
if count >= tonumber(ARGV[1]) then return math.max(redis.call('PTTL', KEYS[1]), 1) end
redis.call('INCR', KEYS[1])
if count == 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
"""

# The key may have ended since; a count never goes below zero.
_GIVE_BACK = """
local count = tonumber(redis.call('GET', KEYS[1]) or '0')
if count > 1 then redis.call('DECR', KEYS[1]) else redis.call('DEL', KEYS[1]) end
"""


class RedisLoginThrottle:
    """The `identity.throttle.LoginThrottle` of the product."""

    def __init__(self, redis: Redis) -> None:
        self._take = redis.register_script(_TAKE)
        self._give_back = redis.register_script(_GIVE_BACK)

    async def take(self, subject: str, *, limit: int, window_s: int) -> int | None:
        """See LoginThrottle."""
        wait_ms = int(await self._take(keys=[_key(subject)], args=[limit, window_s * 1000]))
        return -(-wait_ms // 1000) or None

    async def give_back(self, subject: str) -> None:
        """See LoginThrottle."""
        await self._give_back(keys=[_key(subject)])


def _key(subject: str) -> str:
    return f"sociallive:identity:logins:{subject}"
