"""FFmpeg publishes H264 and Opus by WHIP; a browser without an account watches."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from server.background import background
from server.demo.channel import command, keep_publishing
from tests.support.browser import open_page, picture, plays
from tests.support.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@asynccontextmanager
async def publishing(whip_url: str, key: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """FFmpeg as the demo channel runs it."""
    process = await asyncio.create_subprocess_exec(
        *command(whip_url, key), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def test_a_guest_watches_what_ffmpeg_publishes(
    product: Product, guest: Api, browser: Browser
) -> None:
    streamer = await guest.sign_in(product.accounts["streamer"])
    stream = await streamer.call("POST", "/api/me/streams", {"title": "Clock"}, expect=201)
    whip_url, key = product.url + stream["whip_url"], stream["stream_key"]
    async with publishing(whip_url, key):
        page = await open_page(browser, product.url)
        await page.get_by_test_id("stream-card").click()
        video = page.get_by_test_id("player-video")
        assert await plays(video) == 640
        await picture(page, "watch-guest")

        stats = await streamer.call(
            "GET", f"/api/me/streams/{stream['stream_id']}/stats", expect=200
        )
        assert {track["codec"].lower() for track in stats["tracks"]} == {"h264", "opus"}
        assert all(track["bitrate_bps"] > 0 for track in stats["tracks"])

        second = await open_page(browser, f"{product.url}/watch/{stream['stream_id']}")
        await plays(second.get_by_test_id("player-video"))
        await plays(video)  # a second viewer takes nothing from the first
    # FFmpeg ended: the page says so by itself.
    await expect(page.get_by_test_id("player-state")).to_be_visible(timeout=20_000)


async def test_viewers_stay_when_the_publisher_comes_back(
    product: Product, guest: Api, browser: Browser, tmp_path: Path
) -> None:
    streamer = await guest.sign_in(product.accounts["streamer"])
    stream = await streamer.call("POST", "/api/me/streams", {"title": "Clock"}, expect=201)
    whip_url, key = product.url + stream["whip_url"], stream["stream_key"]
    async with publishing(whip_url, key) as ffmpeg:
        page = await _watch(browser, guest, product, stream["stream_id"])
        video = page.get_by_test_id("player-video")
        await plays(video)
        offers: list[str] = []
        page.on(
            "request", lambda sent: offers.append(sent.method) if "/whep/" in sent.url else None
        )
        ffmpeg.kill()  # no DELETE, no DTLS close
        await ffmpeg.wait()
        # Refused while the server still waits for the first one; it is started again until taken.
        again = partial(keep_publishing, whip_url, key, tmp_path / "ffmpeg.log")
        async with background("the publisher again", again):
            await plays(video)
            assert "POST" not in offers, "the viewer had to connect again"


async def _watch(browser: Browser, guest: Api, product: Product, stream_id: str) -> Page:
    """A page that watches, once the stream is live."""
    async with asyncio.timeout(15):
        while (await guest.call("GET", f"/api/streams/{stream_id}", expect=200))["state"] != "live":
            await asyncio.sleep(0.1)
    return await open_page(browser, f"{product.url}/watch/{stream_id}")
