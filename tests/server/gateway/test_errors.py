import asyncio
import json
import logging
import re
from collections.abc import Iterator
from contextvars import copy_context
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import web
from pytest_aiohttp.plugin import AiohttpClient
from redis.exceptions import ConnectionError as RedisConnectionError

from identity.errors import InvalidRegistration
from ledger.errors import InsufficientFunds
from media.errors import StreamOffline
from server.gateway.errors import (
    REFUSALS,
    STATUS_OF,
    errors_middleware,
    problem_response,
    refusal_response,
)
from server.gateway.refusals import FieldError, InvalidRequest, RateLimited, TooLarge
from server.logs import REQUEST_ID


def tree_of(base: type[Exception]) -> Iterator[type[Exception]]:
    for child in base.__subclasses__():
        yield child
        yield from tree_of(child)


def every_refusal() -> list[type[Exception]]:
    return sorted(
        {cls for base in REFUSALS for cls in tree_of(base) if hasattr(cls, "code")},
        key=lambda cls: cls.__qualname__,
    )


def problem_of(response: web.Response) -> dict[str, Any]:
    assert response.content_type == "application/problem+json"
    body = response.text
    assert body is not None
    problem: dict[str, Any] = json.loads(body)
    return problem


PAGE = Path(__file__).parents[3] / "docs" / "PROTOCOL.md"
PROTOCOL = {
    int(status): set(re.findall(r"`([a-z_]+)`", codes))
    for status, codes in re.findall(r"^\| (\d{3}) \| (.+) \|$", PAGE.read_text("utf-8"), re.M)
}


def test_the_table_is_the_protocol_s() -> None:
    by_status: dict[int, set[str]] = {}
    for code, status in STATUS_OF.items():
        by_status.setdefault(int(status), set()).add(code)
    assert by_status == PROTOCOL


@pytest.mark.parametrize("refusal", every_refusal(), ids=lambda cls: cls.__qualname__)
def test_every_refusal_of_every_domain_has_a_row(refusal: Any) -> None:
    assert refusal.code in STATUS_OF


@pytest.mark.parametrize("code", STATUS_OF)
def test_every_row_makes_a_problem(code: str) -> None:
    context = copy_context()
    context.run(REQUEST_ID.set, "request-1")
    response = context.run(problem_response, code, "Do this.")
    assert problem_of(response) == {
        "type": "about:blank",
        "title": STATUS_OF[code].phrase,
        "status": response.status,
        "code": code,
        "detail": "Do this.",
        "request_id": "request-1",
    }
    assert ("WWW-Authenticate" in response.headers) == (response.status == 401)


def test_a_refused_field_is_named() -> None:
    problem = problem_of(refusal_response(InvalidRegistration("email", "Write it so.")))
    assert problem["errors"] == [{"field": "email", "message": "Write it so."}]
    problem = problem_of(refusal_response(InvalidRequest([FieldError("a.b", "No.")])))
    assert problem["errors"] == [{"field": "a.b", "message": "No."}]
    assert "errors" not in problem_of(refusal_response(InsufficientFunds(1, 2)))


def test_retry_after_is_whole_seconds_rounded_up() -> None:
    assert refusal_response(RateLimited(0.2)).headers["Retry-After"] == "1"
    assert refusal_response(RateLimited(1.2)).headers["Retry-After"] == "2"
    assert int(refusal_response(StreamOffline()).headers["Retry-After"]) >= 1
    assert int(problem_response("unavailable", "").headers["Retry-After"]) >= 1
    assert "Retry-After" not in refusal_response(TooLarge(1)).headers


@pytest.mark.parametrize(
    ("code", "challenge"),
    [
        ("unauthenticated", 'Bearer realm="sociallive"'),
        ("expired_token", 'Bearer realm="sociallive", error="invalid_token"'),
    ],
)
def test_a_401_says_how_to_authenticate(code: str, challenge: str) -> None:
    assert problem_response(code, "").headers["WWW-Authenticate"] == challenge


class Served:
    """An application whose one route raises what it is given."""

    def __init__(self) -> None:
        self.error: Exception = RuntimeError()
        self.app = web.Application(middlewares=[errors_middleware])
        self.app.router.add_post("/", self._raise)

    async def _raise(self, _: web.Request) -> web.Response:
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (RuntimeError("secret"), 500, "internal"),
        (LookupError("secret"), 500, "internal"),
        (ConnectionRefusedError("secret"), 503, "unavailable"),
        (TimeoutError("secret"), 503, "unavailable"),
        (asyncpg.CannotConnectNowError("secret"), 503, "unavailable"),
        (RedisConnectionError("secret"), 503, "unavailable"),
        (InsufficientFunds(1, 2), 409, "insufficient_funds"),
        (web.HTTPRequestEntityTooLarge(5), 413, "too_large"),
        (web.HTTPExpectationFailed(text="secret"), 400, "bad_request"),
        (web.HTTPBadRequest(text="secret"), 400, "bad_request"),
    ],
)
async def test_whatever_is_raised_becomes_a_problem(
    error: Exception, status: int, code: str, aiohttp_client: AiohttpClient
) -> None:
    served = Served()
    served.error = error
    client = await aiohttp_client(served.app)
    response = await client.post("/", json={})
    text = await response.text()
    assert (response.status, json.loads(text)["code"]) == (status, code)
    assert "secret" not in text


async def test_a_bug_is_logged(
    aiohttp_client: AiohttpClient, caplog: pytest.LogCaptureFixture
) -> None:
    client = await aiohttp_client(Served().app)
    with caplog.at_level(logging.ERROR):
        await client.post("/")
    (record,) = (item for item in caplog.records if item.name == "server.gateway.errors")
    assert record.exc_info is not None


async def test_unknown_addresses_and_methods(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(Served().app)
    missing, wrong = await asyncio.gather(client.get("/nowhere"), client.get("/"))
    assert (missing.status, (await missing.json(content_type=None))["code"]) == (404, "not_found")
    assert (wrong.status, wrong.headers["Allow"]) == (405, "POST")
    assert (await wrong.json(content_type=None))["code"] == "method_not_allowed"
