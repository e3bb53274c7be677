"""The main job in browsers: go live from the studio, watch, chat, give, and see it everywhere."""

import re

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.support.browser import open_page, picture, plays, sign_in
from tests.support.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BURST = 34  # beyond what the velocity rule takes in a minute


async def test_go_live_watch_chat_give_and_see_the_alert(
    product: Product, guest: Api, browser: Browser
) -> None:
    studio = await open_page(browser, f"{product.url}/studio")
    await sign_in(studio, product.accounts["streamer"])
    await _go_live(studio, "Night drive")

    watch = await open_page(browser, product.url)
    await watch.get_by_test_id("stream-card").click()
    await plays(watch.get_by_test_id("player-video"))
    await sign_in(watch, product.accounts["viewer"])

    await _say(watch, "Hello from the sofa")
    await expect(_messages(studio, "Hello from the sofa")).to_be_visible()
    await _say(studio, "Welcome in!")
    await expect(_messages(watch, "Welcome in!")).to_be_visible()

    before = await _number(watch, "balance")
    await watch.get_by_test_id("gift-rose").click()
    await watch.get_by_test_id("gift-send").click()
    await expect(watch.get_by_test_id("chat-gift").first).to_contain_text("Rose")
    await expect(studio.get_by_test_id("chat-gift").first).to_contain_text("Rose")
    await expect(watch.get_by_test_id("balance")).to_contain_text(f"{before - 10:,}")
    await expect(studio.get_by_test_id("earnings")).to_contain_text("7")
    await picture(watch, "watch")
    await picture(studio, "studio")

    stream_id = watch.url.rpartition("/")[2]
    viewer = await guest.sign_in(product.accounts["viewer"])
    for number in range(BURST):
        body = {"request_id": _uuid(number), "gift_id": "rose", "count": 1}
        await viewer.call("POST", f"/api/streams/{stream_id}/gifts", body, expect={201, 429})

    admin = await open_page(browser, f"{product.url}/admin")
    await sign_in(admin, product.accounts["admin"])
    await expect(admin.get_by_test_id("admin-streams")).to_contain_text("Night drive")
    await picture(admin, "admin-streams")
    await admin.get_by_test_id("tab-alerts").click()
    await admin.get_by_test_id("open-alert").first.click()
    await expect(admin.get_by_test_id("alert-reason").first).to_contain_text(
        re.compile("gift", re.I)
    )
    await picture(admin, "admin-alert")
    await admin.keyboard.press("Escape")
    await admin.get_by_test_id("tab-ledger").click()
    await expect(admin.get_by_test_id("balanced")).to_be_visible()
    await picture(admin, "admin-ledger")

    await plays(watch.get_by_test_id("player-video"))  # nothing of this disturbed the picture
    await admin.get_by_test_id("tab-streams").click()
    await admin.get_by_test_id("admin-stop").first.click()
    await admin.get_by_test_id("reason").fill("A test")
    await admin.get_by_role("dialog").get_by_role("button", name="Stop").click()
    await expect(watch.get_by_test_id("player-state")).to_be_visible()
    await expect(studio.get_by_test_id("go-live")).to_be_visible()


async def test_a_phone_shows_the_picture_and_the_chat_without_scrolling_sideways(
    product: Product, browser: Browser
) -> None:
    studio = await open_page(browser, f"{product.url}/studio")
    await sign_in(studio, product.accounts["streamer"])
    await _go_live(studio, "Night drive")
    phone = await open_page(browser, product.url, width=360, height=740)
    await phone.get_by_test_id("stream-card").click()
    await plays(phone.get_by_test_id("player-video"))
    wide: int = await phone.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360
    before = await phone.get_by_test_id("player-video").bounding_box()
    for number in range(5):
        await _say(studio, f"Line {number} of the chat")
    await expect(_messages(phone, "Line 4 of the chat")).to_be_visible()
    assert await phone.get_by_test_id("player-video").bounding_box() == before
    await picture(phone, "watch-phone")


async def _go_live(studio: Page, title: str) -> None:
    await studio.get_by_test_id("stream-title-input").fill(title)
    await studio.get_by_test_id("create-stream").click()
    await studio.get_by_test_id("go-live").click()
    await expect(studio.get_by_test_id("broadcast-state")).to_have_attribute("data-state", "live")
    await plays(studio.get_by_test_id("preview-video"))


async def _say(page: Page, text: str) -> None:
    await page.get_by_test_id("chat-input").fill(text)
    await page.get_by_test_id("chat-send").click()
    await expect(_messages(page, text)).to_be_visible()


def _messages(page: Page, text: str) -> Locator:
    return page.get_by_test_id("chat-message").filter(has_text=text)


async def _number(page: Page, test_id: str) -> int:
    text = await page.get_by_test_id(test_id).inner_text()
    return int(re.sub(r"\D", "", text))


def _uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"
