"""The rules one by one; tests/server/http/test_routes.py has every route with every role."""

from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict
from pydantic import SecretStr

from config.http import HttpSettings
from identity.errors import InvalidToken
from identity.principal import Principal
from identity.roles import Role
from server.gateway.access import (
    ADMIN,
    ANYONE,
    OPERATOR,
    SIGNED_IN,
    Access,
    Gate,
    Roles,
    bearer_of,
)
from server.gateway.client import CLIENT, identify_client
from server.gateway.refusals import Forbidden, InvalidBearer, Unauthenticated


@dataclass
class Identity:
    """Knows one token."""

    roles: frozenset[Role] = frozenset({Role.VIEWER})

    async def authenticate(self, token: str) -> Principal:
        if token != "good":
            raise InvalidToken
        return Principal(uuid4(), "Anna", self.roles, uuid4(), datetime.now(UTC))


def request(*bearers: str, peer: str = "192.0.2.1") -> web.Request:
    headers = CIMultiDict([("Authorization", bearer) for bearer in bearers])
    made = make_mocked_request("GET", "/", headers=headers)
    made[CLIENT] = identify_client(peer, made.headers, (), secure=False)
    return made


def gate(*roles: Role, **settings: Any) -> Gate:
    services: Any = SimpleNamespace(identity=Identity(frozenset(roles)))
    return Gate(services, HttpSettings(**settings))


@pytest.mark.parametrize(
    "bearers",
    [(), ("",), ("Bearer",), ("Bearer  ",), ("Basic a",), ("Bearer a", "Bearer b"), ("good",)],
)
def test_what_is_no_bearer(bearers: tuple[str, ...]) -> None:
    with pytest.raises(Unauthenticated):
        bearer_of(request(*bearers))


@pytest.mark.parametrize("header", ["Bearer good", "bearer good", "BEARER  good "])
def test_what_is_one(header: str) -> None:
    assert bearer_of(request(header)) == "good"


async def test_anyone_needs_none_and_none_is_looked_at() -> None:
    assert await ANYONE.admit(request("Bearer stale"), gate()) is None


async def test_signed_in_needs_a_good_one() -> None:
    assert (await SIGNED_IN.admit(request("Bearer good"), gate())).display_name == "Anna"
    with pytest.raises(InvalidToken):
        await SIGNED_IN.admit(request("Bearer bad"), gate())


@pytest.mark.parametrize(
    ("access", "role", "admitted"),
    [
        (Roles(Role.STREAMER), Role.STREAMER, True),
        (Roles(Role.STREAMER), Role.ADMIN, True),
        (Roles(Role.STREAMER), Role.MODERATOR, False),
        (Roles(Role.STREAMER, Role.MODERATOR), Role.MODERATOR, True),
        (ADMIN, Role.ADMIN, True),
        (ADMIN, Role.MODERATOR, False),
        (Roles(), Role.VIEWER, False),
    ],
)
async def test_roles(access: Access, role: Role, admitted: bool) -> None:
    try:
        await access.admit(request("Bearer good"), gate(role))
    except Forbidden:
        assert not admitted
    else:
        assert admitted


def test_roles_say_who_may() -> None:
    assert Roles(Role.STREAMER).who == "streamer or admin"


async def test_the_operator_s_network_and_token() -> None:
    local, far = request(peer="127.0.0.1"), request()
    assert await OPERATOR.admit(local, gate()) is None
    with pytest.raises(Forbidden):
        await OPERATOR.admit(far, gate())
    token = {"metrics_token": SecretStr("secret")}
    assert await OPERATOR.admit(request("Bearer secret"), gate(**token)) is None
    with pytest.raises(InvalidBearer):
        await OPERATOR.admit(request("Bearer guess", peer="127.0.0.1"), gate(**token))
    with pytest.raises(Forbidden):
        await OPERATOR.admit(request("Bearer "), gate())
