"""Rate limits that all nodes share: a token bucket per address and per user, by class of route.

The bucket is kept as one number, the theoretical arrival time of GCRA (ITU-T I.371 annex A): it
needs no refilling and expires by itself. Redis' clock counts, so nodes need not agree on theirs.
When Redis is away requests pass, uncounted: a store that limits must not be one that stops.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from config.http import Bucket, ClassRates, HttpSettings
from server.gateway.refusals import RateLimited

logger = logging.getLogger(__name__)

KEY_PREFIX: Final = "sociallive:rate"
REDIS_TIMEOUT_S: Final = 0.25
PAUSE_AFTER_FAILURE_S: Final = 1.0

# Times are microseconds; %.0f because Lua would write large numbers with an exponent.
TAKE: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local interval = tonumber(ARGV[1])
local arrival = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + interval
local wait = arrival - tonumber(ARGV[2]) * interval - now
if wait > 0 then
    return math.ceil(wait)
end
redis.call('SET', KEYS[1], string.format('%.0f', arrival), 'PX', math.ceil((arrival - now) / 1000))
return 0
"""
"""KEYS: the bucket. ARGV: microseconds a token, size of the bucket. Returns how long to wait."""


class RateClass(StrEnum):
    """What a route costs; the names are those of `config.http.RateSettings`."""

    SIGN_IN = "sign_in"
    READ = "read"
    WRITE = "write"
    SESSION = "session"
    PROBE = "probe"


class RateLimiter:
    """Counts requests. `failures` says how many passed uncounted."""

    def __init__(
        self,
        redis: Redis,
        settings: HttpSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._enabled = settings.rate_limits
        self._rates: dict[RateClass, ClassRates] = {
            rate: getattr(settings.rates, rate) for rate in RateClass
        }
        self._take = redis.register_script(TAKE)
        self._clock = clock
        self._paused_until = float("-inf")
        self.failures = 0

    async def take_for_address(self, rate: RateClass, subject: str) -> None:
        """Take a token of an address. Raises RateLimited."""
        await self._take_token(f"{rate}:address:{subject}", self._rates[rate].address)

    async def take_for_user(self, rate: RateClass, subject: str) -> None:
        """Take a token of a user. Raises RateLimited."""
        await self._take_token(f"{rate}:user:{subject}", self._rates[rate].user)

    async def _take_token(self, name: str, bucket: Bucket) -> None:
        if not self._enabled:
            return
        wait_us = await self._ask_redis(f"{KEY_PREFIX}:{name}", bucket)
        if wait_us > 0:
            raise RateLimited(wait_us / 1_000_000)

    async def _ask_redis(self, key: str, bucket: Bucket) -> int:
        if self._clock() < self._paused_until:
            self.failures += 1
            return 0
        try:
            async with asyncio.timeout(REDIS_TIMEOUT_S):
                answer = await self._take(
                    keys=[key], args=[round(1_000_000 / bucket.per_s), bucket.burst]
                )
        except (RedisError, OSError) as error:
            # Not every request of an outage shall wait for its own timeout.
            self._paused_until = self._clock() + PAUSE_AFTER_FAILURE_S
            self.failures += 1
            logger.warning("rate limits are off", extra={"error": type(error).__name__})
            return 0
        return int(answer)
