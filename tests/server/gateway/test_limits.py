import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from config.http import Bucket, ClassRates, HttpSettings, RateSettings
from server.gateway.limits import PAUSE_AFTER_FAILURE_S, TAKE, RateClass, RateLimiter
from server.gateway.refusals import RateLimited

SLOW = Bucket(burst=3, per_s=0.01)
WIDE = Bucket(burst=5, per_s=0.01)


def http_settings(*, rate_limits: bool = True) -> HttpSettings:
    return HttpSettings(
        rate_limits=rate_limits, rates=RateSettings(read=ClassRates(address=WIDE, user=SLOW))
    )


async def count_admitted(limiter: RateLimiter, subject: str, tries: int) -> int:
    admitted = 0
    for _ in range(tries):
        try:
            await limiter.take_for_user(RateClass.READ, subject)
            admitted += 1
        except RateLimited:
            pass
    return admitted


def test_every_class_has_its_settings() -> None:
    assert {rate.value for rate in RateClass} == set(RateSettings.model_fields)


async def test_a_burst_passes_and_the_next_waits(redis: Redis) -> None:
    limiter = RateLimiter(redis, http_settings())
    assert await count_admitted(limiter, "a", 5) == SLOW.burst
    with pytest.raises(RateLimited) as refused:
        await limiter.take_for_user(RateClass.READ, "a")
    assert 0 < refused.value.retry_after_s <= 1 / SLOW.per_s


async def test_users_addresses_and_classes_have_buckets_of_their_own(redis: Redis) -> None:
    limiter = RateLimiter(redis, http_settings())
    assert await count_admitted(limiter, "a", 5) == SLOW.burst
    assert await count_admitted(limiter, "b", 5) == SLOW.burst
    for _ in range(WIDE.burst):
        await limiter.take_for_address(RateClass.READ, "a")
    with pytest.raises(RateLimited):
        await limiter.take_for_address(RateClass.READ, "a")
    await limiter.take_for_address(RateClass.WRITE, "a")


async def test_nodes_share_a_bucket(redis: Redis, redis_url: str) -> None:
    async with Redis.from_url(redis_url) as other:
        here = RateLimiter(redis, http_settings())
        there = RateLimiter(other, http_settings())
        admitted = [
            await count_admitted(here, "a", 1) + await count_admitted(there, "a", 1)
            for _ in range(3)
        ]
    assert sum(admitted) == SLOW.burst


async def test_at_once_no_more_pass_than_one_by_one(redis: Redis) -> None:
    limiter = RateLimiter(redis, http_settings())
    counts = await asyncio.gather(*(count_admitted(limiter, "a", 1) for _ in range(20)))
    assert sum(counts) == SLOW.burst


async def test_buckets_expire_by_themselves(redis: Redis) -> None:
    await count_admitted(RateLimiter(redis, http_settings()), "a", 5)
    (key,) = await redis.keys("*")
    assert 0 < await redis.pttl(key) <= SLOW.burst / SLOW.per_s * 1000


async def test_limits_can_be_turned_off(redis: Redis) -> None:
    limiter = RateLimiter(redis, http_settings(rate_limits=False))
    assert await count_admitted(limiter, "a", 20) == 20
    assert await redis.keys("*") == []


async def test_without_redis_requests_pass_and_are_counted(redis: Redis) -> None:
    now = 0.0
    unreachable: Redis = Redis.from_url("redis://127.0.0.1:1")
    limiter = RateLimiter(unreachable, http_settings(), clock=lambda: now)
    assert await count_admitted(limiter, "a", 10) == 10
    assert limiter.failures == 10
    # Within the pause nobody asks, so nobody waits; after it the next one asks again.
    limiter._take = redis.register_script(TAKE)
    assert await count_admitted(limiter, "a", 4) == 4
    now = PAUSE_AFTER_FAILURE_S
    assert await count_admitted(limiter, "a", 5) == SLOW.burst
    assert limiter.failures == 14
    await unreachable.aclose()


def spaced(times_us: Sequence[int], interval_us: int, burst: int) -> list[bool]:
    """A token bucket in the plain words of its definition: the specification of the script."""
    tokens, last = float(burst), times_us[0] if times_us else 0
    passed = []
    for now in times_us:
        tokens, last = min(burst, tokens + (now - last) / interval_us), now
        passed.append(tokens >= 1)
        tokens -= passed[-1]
    return passed


@given(
    steps=st.lists(st.integers(0, 40), max_size=40),
    interval=st.sampled_from([1, 2, 5, 10]),
    burst=st.integers(1, 6),
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_the_script_is_a_token_bucket(
    redis: Redis, steps: list[int], interval: int, burst: int
) -> None:
    await redis.flushall()
    unit_us = 1_000_000
    # The script with a clock of the test's: everything else is as it runs.
    clocked = TAKE.replace("redis.call('TIME')", "{ARGV[3], 0}")
    script = redis.register_script(
        clocked.replace("'PX', math.ceil((arrival - now) / 1000)", "'EX', 60")
    )
    now, passed, times = 1_795_000_000, [], []
    for step in steps:
        now += step
        times.append(now * unit_us)
        passed.append(await script(keys=["bucket"], args=[interval * unit_us, burst, now]) == 0)
    assert passed == spaced(times, interval * unit_us, burst)
