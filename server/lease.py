"""A lease in Redis: of all nodes, one at a time does a thing."""

from __future__ import annotations

import asyncio
import secrets

from redis.asyncio import Redis

from server.bus.stream import outlast

RENEW = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
    return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0
"""
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end"
ATTEMPTS_A_LEASE = 3


class Lease:
    """Held by whoever renewed it last, for `seconds`.

    A holder that stalls for longer does not know that it lost the lease until it renews it; what a
    lease guards must bear two at once for a moment.
    """

    def __init__(self, redis: Redis, name: str, seconds: float) -> None:
        self._redis = redis
        self._key = f"sociallive:lease:{name}"
        self._milliseconds = round(seconds * 1000)
        self._token = secrets.token_hex(8)
        self.pause_s = seconds / ATTEMPTS_A_LEASE
        """How often to renew it, and to try for it."""

    async def acquire(self) -> None:
        """Wait until it is ours."""
        while True:
            if await outlast(self._take):
                return
            await asyncio.sleep(self.pause_s)

    async def renew(self) -> bool:
        """Whether it is ours still, for another while."""
        return bool(
            await outlast(
                lambda: self._redis.eval(RENEW, 1, self._key, self._token, str(self._milliseconds))
            )
        )

    async def release(self) -> None:
        """Let others have it. Raises redis.RedisError."""
        await self._redis.eval(RELEASE, 1, self._key, self._token)

    async def _take(self) -> bool:
        taken = await self._redis.set(self._key, self._token, nx=True, px=self._milliseconds)
        return bool(taken) or await self.renew()
