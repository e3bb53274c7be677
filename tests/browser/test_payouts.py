"""Payouts in browsers: asked for in the studio, approved and paid by files in the admin page."""

import csv
import uuid
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.support.browser import open_page, picture, sign_in
from tests.support.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SETTINGS = {
    "SOCIALLIVE_LEDGER__PAYOUTS__MATURITY_DAYS": "0",
    "SOCIALLIVE_LEDGER__PAYOUTS__MATURING_S": "0.2",
    "SOCIALLIVE_LEDGER__PAYOUTS__REVIEW_FROM_MINOR": "5000",
}
IBAN = "DE02 1203 0000 0000 2020 51"


async def earn(product: Product, http: aiohttp.ClientSession) -> None:
    """Let the streamer get 14,000 coins."""
    guest = Api(http, product.url)
    admin = await guest.sign_in(product.accounts["admin"])
    streamer = await guest.sign_in(product.accounts["streamer"])
    viewer = await guest.sign_in(product.accounts["viewer"])
    made = await streamer.call("POST", "/api/me/streams", {"title": "Chess"}, expect=201)
    user_id = (await viewer.call("GET", "/auth/me", expect=200))["user_id"]
    grant = {"request_id": str(uuid.uuid4()), "amount_minor": 20_000, "reason": "test"}
    await admin.call("POST", f"/api/admin/users/{user_id}/grants", grant, expect=201)
    gift = {"request_id": str(uuid.uuid4()), "gift_id": "castle", "count": 1}
    await viewer.call("POST", f"/api/streams/{made['stream_id']}/gifts", gift, expect=201)


async def ask(studio: Page, amount: int) -> None:
    """Ask for a payout in the studio."""
    await studio.get_by_test_id("payout-amount").fill(str(amount))
    await studio.get_by_test_id("payout-destination").fill(IBAN)
    await studio.get_by_test_id("request-payout").click()
    await expect(studio.get_by_test_id("payout-status").first).to_have_text("pending")


async def test_a_payout_is_asked_for_approved_paid_by_file_and_seen(
    data_dir: Path, browser: Browser, tmp_path: Path
) -> None:
    async with Product(data_dir, SETTINGS) as product, aiohttp.ClientSession() as http:
        await earn(product, http)
        studio = await open_page(browser, f"{product.url}/studio")
        await sign_in(studio, product.accounts["streamer"])
        await expect(studio.get_by_test_id("payout-available")).to_have_text("14,000 coins")
        await studio.get_by_test_id("payouts").scroll_into_view_if_needed()
        await picture(studio, "studio-payout-form")
        await ask(studio, 1_000)
        await studio.get_by_test_id("cancel-payout").click()
        await expect(studio.get_by_test_id("payout-status").first).to_have_text("cancelled")
        await ask(studio, 5_000)
        await picture(studio, "studio-payout-pending")

        admin = await open_page(browser, f"{product.url}/admin?tab=payouts")
        await sign_in(admin, product.accounts["admin"])
        await expect(admin.get_by_test_id("payout-state").first).to_have_text("review")
        await picture(admin, "admin-payouts")
        await admin.get_by_test_id("open-payout").first.click()
        await admin.get_by_test_id("payout-approve").click()
        await picture(admin, "admin-payout-approve")
        await admin.get_by_test_id("reason").fill("Known to us.")
        await admin.get_by_test_id("reason-confirm").click()
        await expect(admin.get_by_test_id("payout-drawer")).to_contain_text("Known to us.")
        await expect(
            admin.get_by_test_id("payout-drawer").get_by_test_id("payout-state")
        ).to_have_text("held")
        await picture(admin, "admin-payout-held")
        await admin.keyboard.press("Escape")

        async with admin.expect_download() as downloading:
            await admin.get_by_test_id("make-batch").click()
        file = tmp_path / "payouts.csv"
        await (await downloading.value).save_as(file)
        await expect(admin.get_by_test_id("files-outcome")).to_contain_text("One payout")
        _, order, total = list(csv.reader(file.read_text().splitlines()))
        assert order[1:] == ["5000", "COIN", IBAN]
        assert total[:3] == ["TOTAL", "1", "5000"]

        results = tmp_path / "results.csv"
        results.write_text(
            "payout_id,amount_minor,currency,status,reference,reason\n"
            f"{order[0]},5000,COIN,settled,TX-1,\nTOTAL,1,5000,,,\n"
        )
        await admin.locator("input[type=file]").set_input_files(results)
        await expect(admin.get_by_test_id("files-outcome")).to_contain_text("1 applied")
        await expect(admin.get_by_test_id("payout-state").first).to_have_text("settled")
        await picture(admin, "admin-payouts-settled")
        await admin.locator("input[type=file]").set_input_files(results)
        await expect(admin.get_by_test_id("files-outcome")).to_contain_text("taken before")

        await studio.reload()
        await expect(studio.get_by_test_id("payout-status").first).to_have_text("paid")
        await expect(studio.get_by_test_id("payout-available")).to_have_text("9,000 coins")
        await studio.get_by_test_id("earnings-statement").click()
        await studio.get_by_test_id("earnings-account").get_by_text("Available").click()
        await expect(studio.get_by_role("dialog")).to_contain_text("Payout")
        await picture(studio, "studio-earnings-available")
        phone = await open_page(browser, f"{product.url}/studio", width=360, height=740)
        await sign_in(phone, product.accounts["streamer"])
        await phone.get_by_test_id("payouts").scroll_into_view_if_needed()
        await picture(phone, "studio-payouts-phone")
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not await phone.evaluate(wide)


async def lose_the_answer(route: Route) -> None:
    """The server has done what was asked, and nobody hears of it."""
    await route.fetch()
    await route.abort()


async def test_an_admin_keeps_money_back_and_frees_it(data_dir: Path, browser: Browser) -> None:
    async with Product(data_dir, SETTINGS) as product, aiohttp.ClientSession() as http:
        await earn(product, http)
        viewer = await Api(http, product.url).sign_in(product.accounts["viewer"])
        me = await viewer.call("GET", "/auth/me", expect=200)
        before = await viewer.call("GET", "/api/me/wallet", expect=200)
        admin = await open_page(browser, f"{product.url}/admin?tab=users")
        await sign_in(admin, product.accounts["admin"])
        name = me["display_name"]
        await admin.route("**/holds", lambda route: route.abort())
        await admin.get_by_test_id("open-user").get_by_text(name, exact=True).first.click()
        drawer = admin.get_by_test_id("user-drawer")
        await expect(drawer.get_by_test_id("problem")).to_be_visible()  # not as if there were none
        await admin.unroute("**/holds")
        await drawer.get_by_test_id("problem").get_by_role("button").click()
        await expect(drawer.get_by_test_id("problem")).to_have_count(0)
        await drawer.get_by_test_id("hold-amount").fill("25")
        await drawer.get_by_test_id("hold-reason").fill("An alert is looked into.")
        await admin.route("**/holds", lose_the_answer, times=1)
        await drawer.get_by_test_id("hold").click()
        await expect(drawer.get_by_test_id("hold-error")).to_be_visible()
        await drawer.get_by_test_id("hold").click()  # again, and held once
        await expect(drawer.get_by_test_id("holds")).to_contain_text("25 coins of the wallet")
        await expect(drawer.get_by_test_id("holds").locator("li")).to_have_count(1)
        await picture(admin, "admin-hold")
        held = await viewer.call("GET", "/api/me/wallet", expect=200)
        assert held == before | {"held_minor": 25}
        await drawer.get_by_test_id("hold-amount").fill(str(before["balance_minor"]))
        await drawer.get_by_test_id("hold-reason").fill("All of it.")
        await drawer.get_by_test_id("hold").click()
        await expect(drawer.get_by_test_id("hold-error")).to_be_visible()
        await drawer.get_by_test_id("release-hold").click()
        await picture(admin, "admin-hold-release")
        await admin.get_by_test_id("reason").fill("A false alarm.")
        await admin.get_by_test_id("reason-confirm").click()
        await expect(drawer.get_by_test_id("holds")).to_be_empty()
        assert await viewer.call("GET", "/api/me/wallet", expect=200) == before
