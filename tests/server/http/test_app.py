"""The gateway as a whole, with bad input over real connections."""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from config.http import Bucket, ClassRates, HttpSettings, RateSettings

LOGIN = {"email": "a@example.org", "password": "x" * 12}
BODY_LIMIT = 65_536


async def raw(url: str, head: bytes, body: bytes = b"") -> tuple[int, dict[str, Any]]:
    """Send bytes; the status and the problem of the answer, whatever was sent."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(head + body)
    answer = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in answer.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    )
    problem = json.loads(await reader.readexactly(length))
    writer.close()
    return int(answer.split()[1]), problem


def login_head(*fields: str) -> bytes:
    lines = ("POST /auth/login HTTP/1.1", "Host: here", "Content-Type: application/json", *fields)
    return "\r\n".join((*lines, "", "")).encode()


async def test_a_body_announced_too_large_is_refused_unread(api: Any) -> None:
    # Not one byte of the ten million is sent: the answer can't have waited for them.
    status, problem = await raw(api.url, login_head("Content-Length: 10000000"))
    assert (status, problem["code"]) == (413, "too_large")


async def test_a_large_body_that_is_sent_is_refused_and_the_client_sees_it(api: Any) -> None:
    reply = await api("POST", "/auth/login", data=b"x" * 10_000_000)
    assert (reply.status, reply.code) == (413, "too_large")


async def test_a_body_that_grows_too_large_is_refused(api: Any) -> None:
    async def chunks() -> Any:
        for _ in range(BODY_LIMIT // 1024 + 1):
            yield b" " * 1024

    json_type = {"Content-Type": "application/json"}
    reply = await api("POST", "/auth/login", data=chunks(), headers=json_type)
    assert (reply.status, reply.code) == (413, "too_large")


async def test_100_continue_is_sent_only_when_the_body_is_wanted(api: Any) -> None:
    expects = "Expect: 100-continue"
    status, problem = await raw(api.url, login_head("Content-Length: 10000000", expects))
    assert (status, problem["code"]) == (413, "too_large")
    body = json.dumps(LOGIN).encode()
    parts = urlsplit(api.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(login_head(f"Content-Length: {len(body)}", expects))
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
    writer.write(body)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 401")
    writer.close()


async def test_what_is_not_json_is_refused(api: Any) -> None:
    for data, content_type, status, code in (
        (b"{", "application/json", 400, "invalid_json"),
        (b"", "application/json", 400, "invalid_json"),
        (b"\xff\xfe{}", "application/json", 400, "invalid_json"),
        (b"[]", "application/json", 422, "invalid_request"),
        (b"{}", "text/plain", 415, "unsupported_media_type"),
        (b"a=b", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"--x--", "multipart/form-data; boundary=x", 415, "unsupported_media_type"),
    ):
        headers = {"Content-Type": content_type}
        reply = await api("POST", "/auth/login", data=data, headers=headers)
        assert (reply.status, reply.code) == (status, code), data
    zipped = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    reply = await api("POST", "/auth/login", data=b"\x1f\x8b" + b"\0" * 100, headers=zipped)
    assert reply.code == "unsupported_media_type"
    assert reply.headers["Accept-Post"] == "application/json"


async def test_a_body_that_breaks_off_is_refused(api: Any) -> None:
    head = login_head("Transfer-Encoding: chunked")
    status, problem = await raw(api.url, head, b"zz\r\nnonsense\r\n")
    assert (status, problem["code"]) == (400, "bad_request")


async def test_unknown_addresses_and_wrong_methods(api: Any) -> None:
    missing = await api("GET", "/api/nothing")
    assert (missing.status, missing.code) == (404, "not_found")
    wrong = await api("DELETE", "/api/streams")
    assert (wrong.status, wrong.code) == (405, "method_not_allowed")
    assert set(wrong.headers["Allow"].split(",")) == {"GET", "HEAD"}


async def test_bearers_that_are_none(api: Any) -> None:
    for value, code in (
        ("", "unauthenticated"),
        ("Bearer", "unauthenticated"),
        ("Bearer ", "unauthenticated"),
        ("Basic YTpi", "unauthenticated"),
        ("Bearer nonsense", "invalid_token"),
        ("Bearer a.b.c", "invalid_token"),
        ("bearer a.b.c", "invalid_token"),
    ):
        reply = await api("GET", "/auth/me", headers={"Authorization": value})
        assert (reply.status, reply.code) == (401, code), value


async def test_a_request_is_logged_with_its_caller(
    api: Any, caplog: pytest.LogCaptureFixture
) -> None:
    person = await api.person()
    with caplog.at_level("INFO", "server.gateway.observe"):
        await api("GET", "/auth/me", by=person)
    (record,) = (item for item in caplog.records if item.name == "server.gateway.observe")
    assert record.__dict__["caller_id"] == str(person.user_id)


class TestSlowBody:
    @pytest.fixture
    def http_settings(self) -> HttpSettings:
        return HttpSettings(port=0, rate_limits=False, body_timeout_s=0.1)

    async def test_a_body_that_does_not_come_is_given_up(self, api: Any) -> None:
        status, problem = await raw(api.url, login_head("Content-Length: 50"), b'{"email": ')
        assert (status, problem["code"]) == (408, "request_timeout")


class TestRateLimits:
    @pytest.fixture
    def http_settings(self) -> HttpSettings:
        few, many = Bucket(burst=2, per_s=0.01), Bucket(burst=100, per_s=100)
        rates = RateSettings(
            sign_in=ClassRates(address=few, user=many), read=ClassRates(address=many, user=few)
        )
        return HttpSettings(port=0, rates=rates)

    async def test_an_address_is_limited(self, api: Any) -> None:
        replies = [await api("POST", "/auth/login", LOGIN) for _ in range(3)]
        assert [reply.status for reply in replies] == [401, 401, 429]
        assert replies[2].code == "rate_limited"
        assert 1 <= int(replies[2].headers["Retry-After"]) <= 100
        assert (await api("GET", "/api/streams")).status == 200

    async def test_a_user_is_limited_and_another_is_not(self, api: Any) -> None:
        one, other = await api.person(), await api.person()
        replies = [await api("GET", "/auth/me", by=one) for _ in range(3)]
        assert [reply.status for reply in replies] == [200, 200, 429]
        assert (await api("GET", "/auth/me", by=other)).status == 200
