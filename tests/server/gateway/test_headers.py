import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict
from pytest_aiohttp.plugin import AiohttpClient

from config.http import HttpSettings
from server.gateway.errors import errors_middleware
from server.gateway.headers import ALWAYS, UNLESS_SET, headers_middleware, host_of
from server.gateway.observe import observe_middleware
from server.metrics import Metrics

ORIGIN = "https://player.example"


def application(settings: HttpSettings) -> web.Application:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(headers={"Cache-Control": "no-cache"})

    app = web.Application(
        middlewares=[
            observe_middleware(settings, Metrics()),
            headers_middleware(settings),
            errors_middleware,
        ]
    )
    for path in ("/api/things", "/whip/1", "/page"):
        app.router.add_post(path, answer)
    return app


def preflight(origin: str = ORIGIN) -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type",
    }


async def test_every_answer_has_them_also_refusals(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(application(HttpSettings()))
    for path in ("/api/things", "/nowhere"):
        response = await client.post(path)
        assert {name: response.headers[name] for name in ALWAYS} == dict(ALWAYS)
        assert set(UNLESS_SET) <= set(response.headers)
        assert "Strict-Transport-Security" not in response.headers
    assert (await client.post("/page")).headers["Cache-Control"] == "no-cache"


async def test_hsts_only_over_https(aiohttp_client: AiohttpClient) -> None:
    settings = HttpSettings.model_validate({"trusted_proxies": ["127.0.0.0/8"]})
    client = await aiohttp_client(application(settings))
    secure = await client.post("/page", headers={"X-Forwarded-Proto": "https"})
    assert "Strict-Transport-Security" in secure.headers
    plain = await client.post("/page", headers={"X-Forwarded-Proto": "http"})
    assert "Strict-Transport-Security" not in plain.headers


async def test_whip_may_be_called_from_anywhere(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(application(HttpSettings()))
    for path in ("/whip/1", "/whip/none"):
        response = await client.post(path, headers={"Origin": ORIGIN})
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        exposed = set(response.headers["Access-Control-Expose-Headers"].split(", "))
        assert exposed >= {"Location", "ETag", "Link", "Accept-Post", "Accept-Patch", "Retry-After"}


async def test_the_api_is_same_origin_by_default(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(application(HttpSettings()))
    response = await client.post("/api/things", headers={"Origin": ORIGIN})
    assert "Access-Control-Allow-Origin" not in response.headers
    response = await client.options("/api/things", headers=preflight())
    assert response.status == 405
    assert "Access-Control-Allow-Origin" not in response.headers


async def test_the_api_may_be_opened_to_an_origin(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(application(HttpSettings(allowed_origins=(ORIGIN,))))
    response = await client.options("/api/things", headers=preflight())
    assert response.status == 204
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in response.headers
    response = await client.post("/api/things", headers={"Origin": ORIGIN})
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert response.headers["Vary"] == "Origin"


async def test_other_origins_stay_out(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(application(HttpSettings(allowed_origins=(ORIGIN,))))
    for origin in ("https://evil.example", f"{ORIGIN}.evil.example", "null"):
        response = await client.options("/api/things", headers=preflight(origin))
        assert "Access-Control-Allow-Origin" not in response.headers
        response = await client.post("/api/things", headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in response.headers
        assert response.headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("live.example", "live.example"),
        ("live.example:8080", "live.example"),
        ("192.0.2.1:80", "192.0.2.1"),
        ("[::1]:8080", "[::1]"),
        ("[::1]", "[::1]"),
        ("", None),
        ("evil.example; script-src *", None),
        ("a b", None),
        ("live.example:port", None),
    ],
)
def test_a_host_is_a_host_or_nothing(header: str, host: str | None) -> None:
    assert host_of(make_mocked_request("GET", "/", headers=CIMultiDict(Host=header))) == host
