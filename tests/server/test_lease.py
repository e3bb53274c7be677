import asyncio

from redis.asyncio import Redis

from server.lease import Lease


async def test_one_at_a_time_has_it(redis: Redis) -> None:
    one, two = Lease(redis, "x", 30), Lease(redis, "x", 0.03)
    await one.acquire()
    await one.acquire()  # it may ask again
    waiting = asyncio.create_task(two.acquire())
    assert await one.renew()
    assert not await two.renew()
    assert not waiting.done()
    await one.release()
    await asyncio.wait_for(waiting, 10)
    assert not await one.renew()


async def test_it_ends_by_itself_when_its_holder_is_gone(redis: Redis) -> None:
    await Lease(redis, "x", 0.05).acquire()
    await asyncio.wait_for(Lease(redis, "x", 0.05).acquire(), 10)


async def test_a_stranger_releases_nothing(redis: Redis) -> None:
    one = Lease(redis, "x", 30)
    await one.acquire()
    await Lease(redis, "x", 30).release()
    assert await one.renew()


async def test_leases_of_other_names_are_others(redis: Redis) -> None:
    await Lease(redis, "x", 30).acquire()
    await asyncio.wait_for(Lease(redis, "y", 30).acquire(), 10)
