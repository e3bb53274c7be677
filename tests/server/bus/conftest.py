"""A way to Redis that can be cut and mended."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from tests.support.line import Line


@pytest.fixture
async def line(redis_url: str) -> AsyncIterator[Line]:
    async with Line(redis_url) as line:
        yield line


@pytest.fixture
async def far_redis(line: Line) -> AsyncIterator[Redis]:
    """A client whose way to Redis is the line; it tries a command once."""
    client = Redis.from_url(line.url, retry=Retry(NoBackoff(), 0))
    yield client
    await client.aclose()
