"""kill -9 of the server in the midst of gifts: what was acknowledged is in the ledger once, and in
the stream of events."""

import asyncio
import signal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest
from redis.asyncio import Redis

from ledger.events import GiftSent, batch_from_json
from server.bus import STREAM_KEY
from tests.support.product import Api, Product

pytestmark = pytest.mark.slow

SENDERS = 8
GIFTS_EACH = 40
ACKNOWLEDGED_BEFORE_THE_KILL = 60
PRICE = 10


class Run:
    """What the senders know: which requests they made, and which were answered."""

    def __init__(self, stream_id: str) -> None:
        self._path = f"/api/streams/{stream_id}/gifts"
        self.requests = [str(uuid4()) for _ in range(SENDERS * GIFTS_EACH)]
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self.enough = asyncio.Event()

    async def send(self, api: Api, request_id: str) -> None:
        body = {"request_id": request_id, "gift_id": "rose", "count": 1}
        receipt = await api.call("POST", self._path, body, expect={200, 201})
        self.acknowledged.setdefault(request_id, receipt)
        assert self.acknowledged[request_id] == receipt  # the first answer, whenever it is asked
        if len(self.acknowledged) >= ACKNOWLEDGED_BEFORE_THE_KILL:
            self.enough.set()

    async def send_all(self, api: Api, request_ids: list[str]) -> None:
        for request_id in request_ids:
            await self.send(api, request_id)


async def test_no_acknowledged_gift_is_lost_or_doubled(data_dir: Path, redis: Redis) -> None:
    url = redis.connection_pool.connection_kwargs
    settings = {
        "REDIS_URL": f"redis://:{url['password']}@{url['host']}:{url['port']}/0",
        "SOCIALLIVE_HTTP__RATE_LIMITS": "false",
    }
    product = Product(data_dir, settings)
    await product.start()
    async with aiohttp.ClientSession() as http:
        guest = Api(http, product.url)
        streamer = await guest.sign_in(product.accounts["streamer"])
        stream = await streamer.call("POST", "/api/me/streams", {"title": "Kill"}, expect=201)
        viewer = await guest.sign_in(product.accounts["viewer"])
        before = (await viewer.call("GET", "/api/me/wallet", expect=200))["balance_minor"]
        run = Run(stream["stream_id"])
        senders = [
            asyncio.create_task(run.send_all(viewer, run.requests[n::SENDERS]))
            for n in range(SENDERS)
        ]
        await asyncio.wait_for(run.enough.wait(), 30)
        await product.stop(signal.SIGKILL)
        ends = await asyncio.gather(*senders, return_exceptions=True)
    assert any(isinstance(end, aiohttp.ClientError) for end in ends), "the kill came too late"
    acknowledged = dict(run.acknowledged)
    assert len(acknowledged) < len(run.requests)

    await product.start()
    async with aiohttp.ClientSession() as http:
        viewer = await Api(http, product.url).sign_in(product.accounts["viewer"])
        lines = await _statement(viewer)
        posted = {line["transaction_id"] for line in lines if line["kind"] == "gift"}
        assert {each["transaction_id"] for each in acknowledged.values()} <= posted
        await run.send_all(viewer, run.requests)  # the client tries all of them again
        after = (await viewer.call("GET", "/api/me/wallet", expect=200))["balance_minor"]
        assert after == before - PRICE * len(run.requests)
        assert len(run.acknowledged) == len(run.requests)
        admin = await Api(http, product.url).sign_in(product.accounts["admin"])
        assert (await admin.call("GET", "/api/admin/ledger/trial-balance", expect=200))["balanced"]
        wanted = {UUID(each["transaction_id"]) for each in run.acknowledged.values()}
        async with asyncio.timeout(10):
            while not wanted <= await _in_stream(redis):
                await asyncio.sleep(0.05)
    await product.stop()


async def _statement(api: Api) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = await api.call("GET", f"/api/me/statement?limit=100{cursor}", expect=200)
        lines += page["lines"]
        if page["next_cursor"] is None:
            return lines
        cursor = f"&cursor={page['next_cursor']}"


async def _in_stream(redis: Redis) -> set[UUID]:
    entries = await redis.xrange(STREAM_KEY)
    return {
        event.data.transaction_id
        for _, fields in entries
        for event in batch_from_json(fields[b"events"])
        if isinstance(event.data, GiftSent)
    }
