"""The main job by HTTP and WebSocket, as docs/PROTOCOL.md tells it, against the running product."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from tests.support.chat_client import chatting
from tests.support.product import Api, Product

pytestmark = pytest.mark.slow


@pytest.fixture
async def product(data_dir: Path) -> AsyncIterator[Product]:
    async with Product(data_dir) as product:
        yield product


@pytest.fixture
async def guest(product: Product) -> AsyncIterator[Api]:
    async with aiohttp.ClientSession() as http:
        yield Api(http, product.url)


async def _until(api: Api, path: str, condition: str) -> list[dict[str, object]]:
    """Ask again until the list named `condition` has something."""
    async with asyncio.timeout(10):
        while True:
            found = (await api.call("GET", path, expect=200))[condition]
            if found:
                return list(found)


async def test_chat_gift_ledger_and_aml(product: Product, guest: Api) -> None:
    viewer = await guest.sign_in(product.accounts["viewer"])
    streamer = await guest.sign_in(product.accounts["streamer"])
    admin = await guest.sign_in(product.accounts["admin"])
    stream = await streamer.call("POST", "/api/me/streams", {"title": "Night drive"}, expect=201)
    room = {"stream_id": stream["stream_id"]}
    async with (
        chatting(product.chat_url, viewer.token) as vera,
        chatting(product.chat_url) as passer_by,
    ):
        for client in (vera, passer_by):
            assert (await client.ask("join", **room))["t"] == "joined"
        assert (await vera.ask("say", **room, text="Hello!"))["t"] == "ok"
        assert (await passer_by.event("message"))["text"] == "Hello!"
        assert (await passer_by.ask("say", **room, text="Me too"))["code"] == "unauthenticated"

        before = (await viewer.call("GET", "/api/me/wallet", expect=200))["balance_minor"]
        gift = {**room, "gift_id": "rose", "count": 2, "request_id": str(uuid4())}
        receipt = await vera.ask("gift", **gift)
        assert (receipt["t"], receipt["balance_minor"]) == ("receipt", before - 20)
        assert (await passer_by.event("gift"))["count"] == 2
        repeated = await vera.ask("gift", **gift)
        assert repeated["transaction_id"] == receipt["transaction_id"]
        other = await vera.ask("gift", **{**gift, "count": 3})
        assert (other["t"], other["code"]) == ("refused", "idempotency_mismatch")
        for _ in range(29):  # the chat takes 30 gifts in 10 s of one user; HTTP has its own limit
            gift["request_id"] = str(uuid4())
            answer = await vera.ask("gift", **gift)
            if answer["t"] == "refused":
                assert answer["code"] == "rate_limited"
                break
    path = f"/api/streams/{stream['stream_id']}/gifts"
    for _ in range(10):
        body = {"request_id": str(uuid4()), "gift_id": "rose", "count": 1}
        await viewer.call("POST", path, body, expect=201)

    alerts = await _until(admin, "/api/admin/aml/alerts?status=open", "alerts")
    assert alerts[0]["alert_type"] == "gift_velocity"
    assert alerts[0]["user_name"] == "Vera"
    resolved = await admin.call(
        "POST",
        f"/api/admin/aml/alerts/{alerts[0]['alert_id']}/resolve",
        {"outcome": "cleared", "note": "A test"},
        expect=200,
    )
    assert resolved["status"] == "resolved"

    balance = await admin.call("GET", "/api/admin/ledger/trial-balance", expect=200)
    assert balance["balanced"]
    wallet = await streamer.call("GET", "/api/me/wallet", expect=200)
    statement = await streamer.call("GET", "/api/me/statement?account=earnings", expect=200)
    assert wallet["earnings_minor"] == statement["balance_minor"] > 0
    audit = await admin.call("GET", "/api/admin/audit", expect=200)
    assert any("resolve" in record["action"] for record in audit["records"])


async def test_a_suspended_user_is_out_everywhere(product: Product, guest: Api) -> None:
    viewer = await guest.sign_in(product.accounts["viewer"])
    admin = await guest.sign_in(product.accounts["admin"])
    me = await viewer.call("GET", "/auth/me", expect=200)
    path = f"/api/admin/users/{me['user_id']}"
    assert (await viewer.try_call("POST", f"{path}/suspend", {"reason": "x"}))[0] == 403
    async with chatting(product.chat_url, viewer.token) as client:
        await admin.call("POST", f"{path}/suspend", {"reason": "A test"}, expect=200)
        async with asyncio.timeout(5):
            await client.closed()
        assert client.close_code == 4003
    assert (await viewer.try_call("GET", "/api/me/wallet"))[0] == 401
    sign_in = product.accounts["viewer"]
    body = {"email": sign_in.email, "password": sign_in.password}
    status, answer = await guest.try_call("POST", "/auth/login", body)
    assert (status, answer["code"]) == (403, "suspended")
    await admin.call("POST", f"{path}/reinstate", expect=200)
    await guest.sign_in(sign_in)


async def test_ctrl_c_ends_cleanly_and_the_data_is_found_again(data_dir: Path) -> None:
    product = Product(data_dir)
    await product.start()
    accounts = product.accounts
    async with aiohttp.ClientSession() as http:
        streamer = await Api(http, product.url).sign_in(accounts["streamer"])
        await streamer.call("POST", "/api/me/streams", {"title": "Kept"}, expect=201)
    assert await product.stop() == 0
    assert "Traceback" not in product.output
    async with Product(data_dir) as product, aiohttp.ClientSession() as http:
        assert product.accounts == accounts
        streamer = await Api(http, product.url).sign_in(accounts["streamer"])
        kept = await streamer.call("GET", "/api/me/streams", expect=200)
        assert [stream["title"] for stream in kept["streams"]] == ["Kept"]


async def test_a_taken_port_is_explained(product: Product, tmp_path: Path) -> None:
    port = product.url.rpartition(":")[2]
    second = Product(tmp_path / "second", {"SOCIALLIVE_HTTP__PORT": port})
    with pytest.raises(AssertionError, match="the product ended at start") as caught:
        await second.start()
    assert port in str(caught.value)
    assert "Traceback" not in str(caught.value)
