"""The fault proxy before a real PostgreSQL: what each fault does to a client."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from tests.support.fault_proxy import FaultProxy, postgres_request

LOST = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError)
Way = tuple[FaultProxy, str]


@pytest.fixture
async def way(database_url: str) -> AsyncIterator[Way]:
    parts = urlsplit(database_url)
    assert parts.hostname is not None
    assert parts.port is not None
    address = parts.hostname, parts.port
    async with FaultProxy(lambda: address, postgres_request) as proxy:
        netloc = f"{parts.username}:{parts.password}@127.0.0.1:{proxy.port}"
        yield proxy, parts._replace(netloc=netloc).geturl()


async def test_everything_passes_and_a_delay_takes_longer(way: Way) -> None:
    proxy, url = way
    connection = await asyncpg.connect(url)
    loop = asyncio.get_running_loop()
    assert await connection.fetchval("SELECT 1") == 1
    proxy.delay_s = 0.05
    began = loop.time()
    assert await connection.fetchval("SELECT 1") == 1
    assert loop.time() - began >= 0.1
    await proxy.mend()
    await connection.close()


async def test_a_cut_way_refuses_until_it_is_mended(way: Way) -> None:
    proxy, url = way
    connection = await asyncpg.connect(url)
    await proxy.cut()
    with pytest.raises(LOST):
        await connection.fetchval("SELECT 1")
    with pytest.raises(LOST):
        await asyncpg.connect(url)
    await proxy.mend()
    await (await asyncpg.connect(url)).close()


async def test_a_frozen_way_answers_nothing_and_does_not_end(way: Way) -> None:
    proxy, url = way
    connection = await asyncpg.connect(url)
    proxy.freeze()
    asking = asyncio.create_task(connection.fetchval("SELECT 1"))
    connecting = asyncio.create_task(asyncpg.connect(url))
    done, _ = await asyncio.wait([asking, connecting], timeout=0.2)
    assert not done
    await proxy.mend()
    for task in (asking, connecting):
        with pytest.raises(LOST):
            await asyncio.wait_for(task, 10)


async def test_an_answer_is_dropped_after_the_commit(way: Way, database_url: str) -> None:
    proxy, url = way
    direct = await asyncpg.connect(database_url)
    await direct.execute("CREATE TABLE seen (number integer)")
    connection = await asyncpg.connect(url)
    statement = await connection.prepare("INSERT INTO seen VALUES ($1)")
    proxy.drop_answers(1)
    with pytest.raises(LOST):
        await statement.fetch(7)
    assert await direct.fetchval("SELECT number FROM seen") == 7
    assert proxy.dropped_answers == 1
    again = await asyncpg.connect(url)
    assert await again.fetchval("SELECT count(*) FROM seen") == 1
    await again.close()
    await direct.close()


async def test_a_store_that_is_away_ends_the_connection() -> None:
    async with FaultProxy(lambda: ("127.0.0.1", 1)) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        try:
            assert await reader.read() == b""
        except ConnectionError:
            pass
        finally:
            writer.close()
