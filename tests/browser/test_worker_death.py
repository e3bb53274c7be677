"""kill -9 of a media worker: pages come back by themselves, and soon."""

import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.support.browser import open_page, plays, sign_in
from tests.support.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATIENCE_S = 8.0  # 2.6 s when nothing else runs
"""From the kill to moving pictures at a viewer: the publisher comes back first."""

PLAYS_ANEW = """video => new Promise(done => {
    const former = video.srcObject;
    const look = () => {
        const frames = video.getVideoPlaybackQuality().totalVideoFrames;
        if (video.srcObject !== former && video.currentTime > 0 && frames > 10) done();
        else requestAnimationFrame(look);
    };
    look();
})"""

# A client that knows WHEP and nothing else: no chat, no page of ours.
WATCH = """async ([url, bearer]) => {
    const peer = new RTCPeerConnection();
    peer.addTransceiver("video", { direction: "recvonly" });
    await peer.setLocalDescription(await peer.createOffer());
    const headers = { "Content-Type": "application/sdp" };
    const body = peer.localDescription.sdp;
    const answer = await fetch(url, { method: "POST", headers, body });
    await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
    while (peer.connectionState !== "connected") await new Promise(done => setTimeout(done, 20));
    window.peer = peer;
}"""
FAILED = """() => new Promise(done => {
    const look = () => { if (window.peer.connectionState === "failed") done(); };
    window.peer.addEventListener("connectionstatechange", look);
    look();
})"""


@pytest.fixture
async def product(data_dir: Path, request: pytest.FixtureRequest) -> AsyncIterator[Product]:
    """With two media workers, and further settings as the test says."""
    settings = {"SOCIALLIVE_MEDIA__WORKERS": "2", **getattr(request, "param", {})}
    async with Product(data_dir, settings) as product:
        yield product


async def test_the_picture_goes_on_within_seconds(
    product: Product, guest: Api, browser: Browser
) -> None:
    studio = await open_page(browser, f"{product.url}/studio")
    await sign_in(studio, product.accounts["streamer"])
    await _go_live(studio)
    watch = await open_page(browser, product.url)
    await watch.get_by_test_id("stream-card").click()
    video = watch.get_by_test_id("player-video")
    await plays(video)
    handle = await video.element_handle()
    anew = watch.evaluate(PLAYS_ANEW, handle)

    killed_at = time.monotonic()
    os.kill(product.media_worker("1"), signal.SIGKILL)
    await anew
    took_s = time.monotonic() - killed_at
    assert took_s < PATIENCE_S
    await plays(video)
    stream = (await guest.call("GET", "/api/streams", expect=200))["streams"][0]
    assert (stream["state"], stream["viewers"]) == ("live", 1)
    await expect(studio.get_by_test_id("broadcast-state")).to_have_attribute("data-state", "live")


async def test_a_client_without_chat_hears_it_from_ice(product: Product, browser: Browser) -> None:
    studio = await open_page(browser, f"{product.url}/studio")
    await sign_in(studio, product.accounts["streamer"])
    await _go_live(studio)
    stranger = await open_page(browser, product.url)
    await stranger.get_by_test_id("stream-card").wait_for()
    link = await stranger.get_by_test_id("stream-card").first.get_attribute("href")
    assert link is not None
    stream_id = link.rpartition("/")[2]
    await stranger.evaluate(WATCH, [f"{product.url}/whep/{stream_id}", None])
    failed = stranger.evaluate(FAILED)
    killed_at = time.monotonic()
    os.kill(product.media_worker("1"), signal.SIGKILL)
    await failed
    took_s = time.monotonic() - killed_at
    assert took_s < PATIENCE_S  # ICE alone needs 15 s to give up, RFC 7675 allows 30


async def _go_live(studio: Page) -> None:
    await studio.get_by_test_id("stream-title-input").fill("Night drive")
    await studio.get_by_test_id("create-stream").click()
    await studio.get_by_test_id("go-live").click()
    await expect(studio.get_by_test_id("broadcast-state")).to_have_attribute("data-state", "live")


@pytest.mark.parametrize("product", [{"SOCIALLIVE_MEDIA__CASCADE_VIEWERS": "1"}], indirect=True)
async def test_viewers_at_an_edge_keep_their_connection_when_the_origin_dies(
    product: Product, guest: Api, browser: Browser
) -> None:
    studio = await open_page(browser, f"{product.url}/studio")
    await sign_in(studio, product.accounts["streamer"])
    await _go_live(studio)
    near, far = [await open_page(browser, product.url) for _ in range(2)]
    for page in (near, far):  # the second one finds the origin full
        await page.get_by_test_id("stream-card").click()
        await plays(page.get_by_test_id("player-video"))
    video = far.get_by_test_id("player-video")
    handle = await video.element_handle()
    await far.evaluate("video => { window.former = video.srcObject; }", handle)

    os.kill(product.media_worker("1"), signal.SIGKILL)
    await near.evaluate(PLAYS_ANEW, await near.get_by_test_id("player-video").element_handle())
    await plays(video)
    assert await far.evaluate("video => video.srcObject === window.former", handle)
    stream = (await guest.call("GET", "/api/streams", expect=200))["streams"][0]
    assert (stream["state"], stream["viewers"]) == ("live", 2)
