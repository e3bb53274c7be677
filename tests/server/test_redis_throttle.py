import asyncio

import pytest
from redis.asyncio import Redis

from server.redis_throttle import RedisLoginThrottle

KEY = "sociallive:identity:logins:account:vera"


@pytest.fixture
def throttle(redis: Redis) -> RedisLoginThrottle:
    return RedisLoginThrottle(redis)


async def take(throttle: RedisLoginThrottle, limit: int = 2, window_s: int = 60) -> int | None:
    return await throttle.take("account:vera", limit=limit, window_s=window_s)


async def test_the_limit_is_reached_and_tells_the_rest_of_the_window(
    throttle: RedisLoginThrottle,
) -> None:
    assert [await take(throttle) for _ in range(2)] == [None, None]
    assert await take(throttle) in (59, 60)


async def test_of_many_at_once_no_more_than_the_limit_get_through(
    throttle: RedisLoginThrottle,
) -> None:
    outcomes = await asyncio.gather(*(take(throttle, limit=10) for _ in range(100)))
    assert outcomes.count(None) == 10


async def test_refused_attempts_do_not_prolong_the_window(
    throttle: RedisLoginThrottle, redis: Redis
) -> None:
    await take(throttle, limit=1)
    await redis.pexpire(KEY, 5_000)
    for _ in range(20):
        await take(throttle, limit=1)
    assert 0 < await redis.pttl(KEY) <= 5_000


async def test_the_end_of_the_window_starts_anew(
    throttle: RedisLoginThrottle, redis: Redis
) -> None:
    await take(throttle, limit=1)
    assert await take(throttle, limit=1)
    await redis.pexpire(KEY, 0)
    assert await take(throttle, limit=1) is None
    assert 55_000 < await redis.pttl(KEY) <= 60_000


async def test_what_is_given_back_can_be_taken_again(throttle: RedisLoginThrottle) -> None:
    await take(throttle)
    await take(throttle)
    await throttle.give_back("account:vera")
    assert await take(throttle) is None
    assert await take(throttle) is not None


async def test_a_count_never_goes_below_zero(throttle: RedisLoginThrottle, redis: Redis) -> None:
    await take(throttle)
    for _ in range(3):
        await throttle.give_back("account:vera")
    assert await redis.exists(KEY) == 0
    assert [await take(throttle) for _ in range(2)] == [None, None]
    assert await take(throttle) is not None


async def test_subjects_are_counted_apart(throttle: RedisLoginThrottle) -> None:
    await take(throttle, limit=1)
    assert await throttle.take("account:stella", limit=1, window_s=60) is None
