import logging
from uuid import UUID

import pytest
from aiohttp import web
from pytest_aiohttp.plugin import AiohttpClient

from config.http import HttpSettings
from server.gateway.errors import errors_middleware
from server.gateway.observe import observe_middleware
from server.logs import REQUEST_ID
from server.metrics import Metrics

STREAM = "01890000-0000-7000-8000-000000000001"
TRUSTING = HttpSettings.model_validate({"trusted_proxies": ["127.0.0.0/8"]})


def application(metrics: Metrics, settings: HttpSettings | None = None) -> web.Application:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=REQUEST_ID.get())

    app = web.Application(
        middlewares=[observe_middleware(settings or HttpSettings(), metrics), errors_middleware]
    )
    app.router.add_route("*", "/whep/{stream_id}/{session_id}", answer)
    return app


async def test_every_answer_carries_the_request_s_id(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(application(Metrics()))
    response = await client.get("/whep/1/2", headers={"X-Request-Id": "chosen-by-a-stranger"})
    request_id = response.headers["X-Request-Id"]
    assert UUID(request_id).version == 7
    assert await response.text() == request_id
    assert (await client.get("/nowhere")).headers["X-Request-Id"] != request_id


@pytest.mark.parametrize(
    ("given", "taken"), [("abcd-1234", True), ("short", False), ('"}, {"x"', False)]
)
async def test_a_trusted_proxy_may_choose_the_id(
    given: str, taken: bool, aiohttp_client: AiohttpClient
) -> None:
    client = await aiohttp_client(application(Metrics(), TRUSTING))
    response = await client.get("/whep/1/2", headers={"X-Request-Id": given})
    assert (response.headers["X-Request-Id"] == given) == taken


async def test_metrics_have_templates_and_never_paths(aiohttp_client: AiohttpClient) -> None:
    metrics = Metrics()
    client = await aiohttp_client(application(metrics))
    await client.get(f"/whep/{STREAM}/secret-session")
    await client.get("/no/such/path")
    await client.request("PROPFIND", f"/whep/{STREAM}/secret-session")
    text = metrics.exposition().decode()
    route = 'route="/whep/{stream_id}/{session_id}"'
    assert f'http_requests_total{{method="GET",{route},status_code="200"}} 1.0' in text
    assert f'http_requests_total{{method="other",{route},status_code="200"}} 1.0' in text
    assert 'http_requests_total{method="GET",route="unmatched",status_code="404"} 1.0' in text
    assert f'http_request_duration_seconds_count{{method="GET",{route}' in text
    assert "secret" not in text
    assert "such" not in text


async def test_the_access_log_tells_no_secrets(
    aiohttp_client: AiohttpClient, caplog: pytest.LogCaptureFixture
) -> None:
    client = await aiohttp_client(application(Metrics()))
    with caplog.at_level(logging.INFO, "server.gateway.observe"):
        await client.get(
            f"/whep/{STREAM}/secret-session?token=secret",
            headers={"Authorization": "Bearer secret"},
        )
    (record,) = (item for item in caplog.records if item.name == "server.gateway.observe")
    fields = record.__dict__
    assert fields["route"] == "/whep/{stream_id}/{session_id}"
    assert (fields["method"], fields["status"], fields["stream_id"]) == ("GET", 200, STREAM)
    assert (fields["client"], fields["caller_id"]) == ("127.0.0.1", None)
    assert fields["duration_ms"] >= 0
    assert "secret" not in str(fields)
