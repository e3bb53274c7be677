"""kill -9 of the server in the midst of payouts to a bank that loses answers: each is paid once."""

import asyncio
import signal
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import orjson
import pytest
from aiohttp import web

from ledger.payouts.notices import signature
from tests.support.bad_bank import BadBank, cuts, good, says
from tests.support.product import Api, Product

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

STREAMERS = 6
AMOUNT = 14_000
KILLS_AFTER_ORDERS = (1, 4, 7)
KEY = "k" * 32


def settings(bank: BadBank) -> dict[str, str]:
    payouts = "SOCIALLIVE_LEDGER__PAYOUTS__"
    return {
        "SOCIALLIVE_HTTP__RATE_LIMITS": "false",
        f"{payouts}MATURITY_DAYS": "0",
        f"{payouts}MATURING_S": "0.2",
        f"{payouts}PROVIDER": "http",
        f"{payouts}HTTP__URL": bank.url,
        f"{payouts}HTTP__TOKEN": "t",
        f"{payouts}HTTP__WEBHOOK_SECRETS": KEY,
        f"{payouts}HTTP__TIMEOUT_S": "1",
        f"{payouts}SAGAS__STEP_TIMEOUT_S": "2",
        f"{payouts}SAGAS__LEASE_S": "3",
        f"{payouts}SAGAS__FIRST_BACKOFF_S": "0.2",
        f"{payouts}SAGAS__LONGEST_BACKOFF_S": "1",
        f"{payouts}SAGAS__POLL_S": "0.2",
        f"{payouts}SAGAS__MOST_ATTEMPTS": "50",
    }


class Orders:
    """Tells when so many orders have come to the bank, and answers some of them badly."""

    def __init__(self, bank: BadBank) -> None:
        self._bank = bank
        self._came = asyncio.Condition()
        self.count = 0

    async def __call__(
        self, bank: BadBank, request: web.Request, order: dict[str, Any]
    ) -> web.StreamResponse:
        async with self._came:
            self.count += 1
            number = self.count
            self._came.notify_all()
        bank.behaviours.append(self)
        behaviour = (cuts, good, says(503))[number % 3]
        return await behaviour(bank, request, order)

    async def reach(self, count: int) -> None:
        async with self._came:
            await self._came.wait_for(lambda: self.count >= count)


async def earners(product: Product, http: aiohttp.ClientSession) -> list[dict[str, str]]:
    """New streamers with matured earnings; how each signs in."""
    guest = Api(http, product.url)
    admin = await guest.sign_in(product.accounts["admin"])
    viewer = await guest.sign_in(product.accounts["viewer"])
    viewer_id = (await viewer.call("GET", "/auth/me", expect=200))["user_id"]
    grant = {"request_id": str(uuid4()), "amount_minor": 20_000 * STREAMERS, "reason": "test"}
    await admin.call("POST", f"/api/admin/users/{viewer_id}/grants", grant, expect=201)
    people = []
    for number in range(STREAMERS):
        sign_in = {"email": f"s{number}@example.org", "password": "correct horse battery"}
        body = sign_in | {"display_name": f"Streamer {number}"}
        made = await guest.call("POST", "/auth/register", body, expect=201)
        path = f"/api/admin/users/{made['user']['user_id']}/roles"
        await admin.call("PUT", path, {"roles": ["streamer"]}, expect=200)
        streamer = await signed_in(product, http, sign_in)
        stream = await streamer.call("POST", "/api/me/streams", {"title": "Chess"}, expect=201)
        gift = {"request_id": str(uuid4()), "gift_id": "castle", "count": 1}
        await viewer.call("POST", f"/api/streams/{stream['stream_id']}/gifts", gift, expect=201)
        people.append(sign_in)
    return people


async def signed_in(product: Product, http: aiohttp.ClientSession, who: dict[str, str]) -> Api:
    guest = Api(http, product.url)
    tokens = await guest.call("POST", "/auth/login", who, expect=200)
    return Api(http, product.url, tokens["access_token"])


async def ask(product: Product, http: aiohttp.ClientSession, who: dict[str, str]) -> None:
    streamer = await signed_in(product, http, who)
    wish = {"request_id": str(uuid4()), "amount_minor": AMOUNT, "destination": "DE02 1203"}
    async with asyncio.timeout(30):
        while (await streamer.try_call("POST", "/api/me/payouts", wish))[0] == 409:
            await asyncio.sleep(0.1)  # the earnings mature


async def until_all_are(state: str, product: Product, http: aiohttp.ClientSession) -> list[str]:
    """Wait, and return the ids."""
    admin = await Api(http, product.url).sign_in(product.accounts["admin"])
    async with asyncio.timeout(60):
        while True:
            path = f"/api/admin/payouts?state={state}"
            found = (await admin.call("GET", path, expect=200))["payouts"]
            if len(found) == STREAMERS:
                return [payout["payout_id"] for payout in found]
            await asyncio.sleep(0.1)


async def settle(product: Product, http: aiohttp.ClientSession, payout_id: str) -> None:
    """The bank's notice that it has paid."""
    notice = {"id": f"evt-{payout_id}", "payout_id": payout_id, "status": "settled"}
    body = orjson.dumps(notice | {"amount_minor": AMOUNT, "currency": "COIN"})
    headers = {
        "Content-Type": "application/json",
        "Payout-Signature": signature(KEY.encode(), int(time.time()), body),
    }
    url = f"{product.url}/api/payouts/notices"
    async with http.post(url, data=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()


async def test_each_payout_is_paid_once(data_dir: Path) -> None:
    bank = BadBank()
    runner = await bank.serve()
    orders = Orders(bank)
    bank.behaviours = [orders] * STREAMERS
    product = Product(data_dir, settings(bank))
    await product.start()
    async with aiohttp.ClientSession() as http:
        people = await earners(product, http)
        await asyncio.gather(*(ask(product, http, who) for who in people))
    for count in KILLS_AFTER_ORDERS:
        async with asyncio.timeout(60):
            await orders.reach(count)
        await product.stop(signal.SIGKILL)
        await product.start()
    async with aiohttp.ClientSession() as http:
        ids = await until_all_are("sent", product, http)
        for payout_id in ids[: STREAMERS // 2]:
            await settle(product, http, payout_id)
    await product.stop(signal.SIGKILL)  # what was taken is committed; its booking may not be
    await product.start()
    async with aiohttp.ClientSession() as http:
        for payout_id in ids:  # the bank tells again what it is not sure of
            await settle(product, http, payout_id)
        await until_all_are("settled", product, http)
        admin = await Api(http, product.url).sign_in(product.accounts["admin"])
        async with asyncio.timeout(30):
            while (books := await balances(admin))["payouts"] != 0:
                await asyncio.sleep(0.1)
        assert books["payment_clearing"] == AMOUNT * STREAMERS
        assert books["earnings_available"] == 0
    await product.stop()
    await runner.cleanup()
    assert sorted(bank.paid) == sorted(ids)
    assert {order["amount_minor"] for order in bank.paid.values()} == {AMOUNT}
    assert orders.count > STREAMERS, "no order had to be sent again"


async def balances(admin: Api) -> dict[str, int]:
    books = await admin.call("GET", "/api/admin/ledger/trial-balance", expect=200)
    assert books["balanced"]
    return {line["code"]: line["credit_minor"] - line["debit_minor"] for line in books["accounts"]}
