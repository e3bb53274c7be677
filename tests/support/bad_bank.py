"""A payout provider on the loopback that behaves badly on purpose, but pays once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Behaviour = Callable[["BadBank", web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


async def good(bank: "BadBank", request: web.Request, order: dict[str, Any]) -> web.Response:
    """Takes the order, and answers."""
    return web.json_response(bank.take(order), status=201)


@dataclass
class BadBank:
    """`behaviours`: what the next calls meet; after them all are good."""

    behaviours: list[Behaviour] = field(default_factory=list)
    paid: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[web.Request] = field(default_factory=list)
    url: str = ""
    told: web.Response | None = None
    """What it answers when it is asked about an order."""
    release: asyncio.Event = field(default_factory=asyncio.Event)
    """Lets go whoever hangs."""

    def take(self, order: dict[str, Any]) -> dict[str, Any]:
        """Pay once for an order; the answer is always as at first."""
        self.paid.setdefault(order["payout_id"], order)
        taken = self.paid[order["payout_id"]]
        names = ("payout_id", "amount_minor", "currency")
        return {name: taken[name] for name in names} | {"reference": f"B-{order['payout_id']}"}

    async def serve(self) -> web.AppRunner:
        """Listen; `cleanup` of the runner ends it."""
        app = web.Application()
        app.router.add_post("/v1/payouts", self._answer)
        app.router.add_get("/v1/payouts/{payout_id}", self._look_up)
        app.router.add_post("/elsewhere", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}/v1"
        return runner

    async def _look_up(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        return self.told or web.Response(status=404)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        behaviour = self.behaviours.pop(0) if self.behaviours else good
        return await behaviour(self, request, await request.json())


async def hangs(bank: BadBank, request: web.Request, order: dict[str, Any]) -> web.Response:
    """Takes the order and never answers."""
    bank.take(order)
    await bank.release.wait()
    raise web.HTTPInternalServerError


async def drips(bank: BadBank, request: web.Request, order: dict[str, Any]) -> web.StreamResponse:
    """Takes the order, and answers a byte now and then."""
    bank.take(order)
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    while not bank.release.is_set():
        await response.write(b" ")
        await asyncio.sleep(0.01)
    return response


async def cuts(bank: BadBank, request: web.Request, order: dict[str, Any]) -> web.Response:
    """Takes the order, and the connection breaks before the answer."""
    bank.take(order)
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def cuts_short(
    bank: BadBank, request: web.Request, order: dict[str, Any]
) -> web.StreamResponse:
    """Takes the order, and the connection breaks within the answer."""
    bank.take(order)
    response = web.StreamResponse(headers={"Content-Length": "500"})
    await response.prepare(request)
    await response.write(b'{"payout_id": ')
    assert request.transport is not None
    request.transport.abort()
    return response


async def floods(bank: BadBank, request: web.Request, order: dict[str, Any]) -> web.StreamResponse:
    """Takes the order, and answers without end."""
    bank.take(order)
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    while not bank.release.is_set():
        await response.write(b" " * 65_536)
    return response


async def moves(bank: BadBank, request: web.Request, order: dict[str, Any]) -> web.Response:
    """Sends the caller, with the token, to another address."""
    raise web.HTTPTemporaryRedirect("/elsewhere")


def says(status: int, body: bytes | None = None, **changes: Any) -> Behaviour:
    """Takes the order, and answers with this status: this body, or the right one but changed."""

    async def answer(
        bank: BadBank, request: web.Request, order: dict[str, Any]
    ) -> web.StreamResponse:
        taken = bank.take(order) | changes
        if body is not None:
            return web.Response(status=status, body=body, content_type="application/json")
        kept = {name: value for name, value in taken.items() if value is not None}
        return web.json_response(kept, status=status)

    return answer


def refuses(**changes: Any) -> Behaviour:
    """Does not take the order, for good."""

    async def answer(bank: BadBank, request: web.Request, order: dict[str, Any]) -> web.Response:
        body = {"payout_id": order["payout_id"], "reason": "No such account."} | changes
        return web.json_response(body, status=422)

    return answer
