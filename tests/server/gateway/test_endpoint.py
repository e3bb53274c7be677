"""The order of the steps between router and handler, with a gate that writes down its visitors."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from aiohttp import web
from pytest_aiohttp.plugin import AiohttpClient

from config.http import HttpSettings
from identity.errors import UnknownUser
from identity.principal import Principal
from identity.roles import Role
from server.gateway.access import Gate
from server.gateway.body import Body
from server.gateway.endpoint import register
from server.gateway.errors import errors_middleware
from server.gateway.limits import RateClass
from server.gateway.observe import observe_middleware
from server.gateway.refusals import Forbidden, RateLimited
from server.gateway.route import Answer, Audit, Call, Route, Text
from server.metrics import Metrics

USER = "01890000-0000-7000-8000-000000000001"
ANNA = Principal(uuid4(), "Anna", frozenset({Role.ADMIN}), uuid4(), datetime.now(UTC))


class Reason(Body):
    reason: str


@dataclass
class House:
    """Access, limiter, audit log and handler in one; `refuse` names the step that refuses."""

    who: ClassVar[str] = "Anna"
    needs_bearer: ClassVar[bool] = True
    steps: list[str] = field(default_factory=list)
    records: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    refuse: str = ""

    def step(self, name: str, refusal: Exception) -> None:
        self.steps.append(name)
        if self.refuse == name:
            raise refusal

    async def take_for_address(self, rate: RateClass, subject: str) -> None:
        self.step("address limit", RateLimited(1))

    async def admit(self, request: web.Request, gate: Gate) -> Principal:
        self.step("access", Forbidden("No."))
        return ANNA

    async def take_for_user(self, rate: RateClass, subject: str) -> None:
        assert subject == str(ANNA.user_id)
        self.step("user limit", RateLimited(1))

    async def record(
        self, *, actor_id: UUID | None, action: str, subject: str, details: dict[str, Any]
    ) -> None:
        assert actor_id == ANNA.user_id
        self.records.append((action, subject, details))
        self.step("audit", ConnectionRefusedError())

    async def handle(self, call: Call) -> Answer:
        """Do it."""
        self.step("handler", UnknownUser())
        return Answer(call.body, status=201)

    def app(self, *, takes: Any = Reason, audited: bool = True) -> web.Application:
        settings = HttpSettings(max_body_bytes=1024)
        app = web.Application(
            middlewares=[observe_middleware(settings, Metrics()), errors_middleware],
            client_max_size=settings.max_body_bytes,
        )
        route = Route(
            "POST",
            "/users/{user_id}",
            self.handle,
            self,
            RateClass.WRITE,
            gives={201: Reason},
            takes=takes,
            audit=Audit("user.suspend", "user_id") if audited else None,
        )
        services: Any = SimpleNamespace(audit=self)
        limiter: Any = self
        register(app, [route], Gate(services, settings), limiter)
        return app


async def test_the_steps_come_in_order(aiohttp_client: AiohttpClient) -> None:
    house = House()
    client = await aiohttp_client(house.app())
    reply = await client.post(f"/users/{USER}", json={"reason": "Fraud."})
    assert (reply.status, await reply.json()) == (201, {"reason": "Fraud."})
    assert house.steps == ["address limit", "access", "user limit", "audit", "handler"]
    assert house.records == [("user.suspend", f"user:{USER}", {"reason": "Fraud."})]


@pytest.mark.parametrize(
    ("refuse", "status", "steps"),
    [
        ("address limit", 429, 1),
        ("access", 403, 2),
        ("user limit", 429, 3),
        ("audit", 503, 4),
        ("handler", 404, 6),
    ],
)
async def test_a_refusal_ends_them(
    refuse: str, status: int, steps: int, aiohttp_client: AiohttpClient
) -> None:
    house = House(refuse=refuse)
    client = await aiohttp_client(house.app())
    reply = await client.post(f"/users/{USER}", json={"reason": "Fraud."})
    assert (reply.status, len(house.steps)) == (status, steps)


async def test_a_refused_write_is_recorded_as_refused(aiohttp_client: AiohttpClient) -> None:
    house = House(refuse="handler")
    client = await aiohttp_client(house.app())
    await client.post(f"/users/{USER}", json={"reason": "Fraud."})
    assert house.records[1] == ("user.suspend.refused", f"user:{USER}", {"code": "not_found"})


async def test_a_large_body_costs_nothing(aiohttp_client: AiohttpClient) -> None:
    house = House()
    client = await aiohttp_client(house.app())
    reply = await client.post(f"/users/{USER}", data=b"x" * 1025)
    assert (reply.status, house.steps) == (413, [])


async def test_a_bad_body_is_neither_audited_nor_handled(aiohttp_client: AiohttpClient) -> None:
    house = House()
    client = await aiohttp_client(house.app())
    for options in ({"data": b"{}"}, {"json": {}}, {"json": {"reason": 5}}):
        reply = await client.post(f"/users/{USER}", **options)
        assert reply.status in (415, 422)
    assert "audit" not in house.steps


async def test_text_is_decoded(aiohttp_client: AiohttpClient) -> None:
    house = House()
    client = await aiohttp_client(house.app(takes=Text("application/sdp"), audited=False))
    headers = {"Content-Type": "application/sdp"}
    good = await client.post(f"/users/{USER}", data=b"v=0", headers=headers)
    assert (good.status, await good.read()) == (201, b"")
    for bad in (b"\xff", b"v=0\x00"):
        assert (await client.post(f"/users/{USER}", data=bad, headers=headers)).status == 400
