"""A real Chromium with a fake camera, and what the tests do in it."""

import shutil
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, Playwright, expect

from tests.support.product import SignIn

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
)
PICTURES = Path(__file__).parent.parent / "browser" / "out"
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)

GROWS = """async ([video, frames]) => {
    const count = () => video.getVideoPlaybackQuality().totalVideoFrames;
    const start = count();
    while (count() < start + frames) await new Promise(done => requestAnimationFrame(done));
    return video.videoWidth;
}"""


async def launch(playwright: Playwright) -> Browser:
    """Debian's Chromium, or another one on PATH."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    assert found, "No Chromium on PATH: run deploy/setup/chromium."
    return await playwright.chromium.launch(executable_path=found, args=list(FLAGS))


async def open_page(browser: Browser, url: str, *, width: int = 1280, height: int = 800) -> Page:
    """A page in a context of its own, which shares nothing with the others."""
    context = await browser.new_context(viewport={"width": width, "height": height})
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    await page.goto(url)
    return page


async def sign_in(page: Page, who: SignIn) -> None:
    """Sign in by the dialog of the header."""
    await page.get_by_test_id("open-sign-in").click()
    await page.get_by_test_id("email").fill(who.email)
    await page.get_by_test_id("password").fill(who.password)
    await page.get_by_test_id("sign-in").click()
    await page.get_by_test_id("account-menu").wait_for()


async def plays(video: Locator, *, frames: int = 30) -> int:
    """Return the width of the picture once `frames` more frames were shown."""
    handle = await video.element_handle()
    assert handle is not None
    width: int = await video.page.evaluate(GROWS, [handle, frames])
    assert width > 0
    return width


async def picture(page: Page, name: str) -> None:
    """Keep a screenshot for people to look at."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=PICTURES / f"{name}.png")
