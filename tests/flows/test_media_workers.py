"""Two media worker processes under a running product, and kill -9 of one of them, over HTTP."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from media.worker import Accepted
from tests.media.conftest import client
from tests.support.chat_client import chatting
from tests.support.native import require_native
from tests.support.product import Api, Product
from tests.support.webrtc import Client, SmallPicture

pytestmark = pytest.mark.slow

__all__ = ["client"]  # the fixture

FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"}


@pytest.fixture
async def product(data_dir: Path) -> AsyncIterator[Product]:
    settings = {"SOCIALLIVE_MEDIA__WORKERS": "2", "SOCIALLIVE_HTTP__RATE_LIMITS": "false"}
    async with Product(data_dir, settings) as product:
        yield product


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as http:
        yield http


class Endpoint:
    """A WHIP or WHEP endpoint as a client sees it."""

    def __init__(self, http: aiohttp.ClientSession, url: str, path: str, key: str | None) -> None:
        self._http = http
        self._url = url
        self._path = path
        self._bearer = {"Authorization": f"Bearer {key}"} if key else {}

    async def post(self, offer: str) -> Accepted:
        """A new session, which is named by its whole path here."""
        headers = {"Content-Type": "application/sdp", **self._bearer}
        async with self._http.post(self._url + self._path, data=offer, headers=headers) as answer:
            assert answer.status == 201, await answer.text()
            location = answer.headers["Location"]
            return Accepted(location, await answer.text(), answer.headers["ETag"])

    async def refusal(self, offer: str) -> tuple[int, str | None]:
        """Status and Retry-After of a POST that is refused."""
        headers = {"Content-Type": "application/sdp", **self._bearer}
        async with self._http.post(self._url + self._path, data=offer, headers=headers) as answer:
            return answer.status, answer.headers.get("Retry-After")

    async def ask(self, session: str) -> int:
        """Whether a session is there, as docs/PROTOCOL.md says to ask."""
        async with self._http.patch(
            self._url + session, data="a=end-of-candidates", headers={**FRAGMENT, **self._bearer}
        ) as answer:
            return answer.status


async def test_the_sessions_of_a_killed_worker_end_at_once(
    product: Product, http: aiohttp.ClientSession, client: Callable[[], Client]
) -> None:
    guest = Api(http, product.url)
    streamer = await guest.sign_in(product.accounts["streamer"])
    stream = await streamer.call("POST", "/api/me/streams", {"title": "Night drive"}, expect=201)
    whip = Endpoint(http, product.url, stream["whip_url"], stream["stream_key"])
    whep = Endpoint(http, product.url, stream["whep_url"], None)
    async with chatting(product.chat_url) as room:
        await room.ask("join", stream_id=stream["stream_id"])
        publisher, viewer = client(), client()
        publisher.pc.addTransceiver(SmallPicture(), direction="sendonly")
        published = await publisher.connect_async(whip.post)
        await room.event("stream", state="live")
        viewer.pc.addTransceiver("video", direction="recvonly")
        watched = await viewer.connect_async(whep.post)
        await viewer.frame("video")
        assert await whep.ask(watched.session_id) == 204
        assert await whip.ask(published.session_id) == 204

        os.kill(product.media_worker("1"), signal.SIGKILL)
        lost = await room.event("stream", state="interrupted")
        assert lost["reconnect"] is True
        assert await whep.ask(watched.session_id) == 404
        assert await whip.ask(published.session_id) == 404
        offer = await _offer(client(), "recvonly")
        assert await whep.refusal(offer) == (503, "1")
        shown: dict[str, Any] = await guest.call(
            "GET", f"/api/streams/{stream['stream_id']}", expect=200
        )
        assert (shown["state"], shown["viewers"]) == ("interrupted", 0)
        ready = await guest.call("GET", "/readyz", expect=200)
        assert ready["checks"]["media"]["ok"]

        again = client()
        again.pc.addTransceiver(SmallPicture(), direction="sendonly")
        await again.connect_async(whip.post)
        assert "reconnect" not in await room.event("stream", state="live")
        returning = client()
        returning.pc.addTransceiver("video", direction="recvonly")
        await returning.connect_async(whep.post)
        await returning.frame("video")


async def test_how_long_packets_are_in_each_worker_is_told(
    product: Product, http: aiohttp.ClientSession, client: Callable[[], Client]
) -> None:
    require_native()
    streamer = await Api(http, product.url).sign_in(product.accounts["streamer"])
    stream = await streamer.call("POST", "/api/me/streams", {"title": "Night drive"}, expect=201)
    whip = Endpoint(http, product.url, stream["whip_url"], stream["stream_key"])
    publisher = client()
    publisher.pc.addTransceiver(SmallPicture(), direction="sendonly")
    await publisher.connect_async(whip.post)
    async with asyncio.timeout(30):
        while (await _relayed(http, product.url)).get("1", 0) < 60:
            await asyncio.sleep(0.05)
        assert (await _relayed(http, product.url))["2"] == 0

        os.kill(product.media_worker("1"), signal.SIGKILL)
        while (await _relayed(http, product.url)).get("1") != 0:  # its next process begins anew
            await asyncio.sleep(0.05)
    assert await _relayed(http, product.url) == {"1": 0, "2": 0}


async def _relayed(http: aiohttp.ClientSession, url: str) -> dict[str, float]:
    """Packets of which each worker tells how long they took."""
    async with http.get(f"{url}/metrics") as answer:
        families = text_string_to_metric_families(await answer.text())
    return {
        sample.labels["worker"]: sample.value
        for family in families
        for sample in family.samples
        if sample.name == "media_relay_duration_seconds_count"
    }


async def _offer(peer: Client, direction: str) -> str:
    peer.pc.addTransceiver("video", direction=direction)
    return await peer.offer()
