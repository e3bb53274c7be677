import json
from typing import Any

import pytest
from pydantic import SecretStr

from config.http import HttpSettings
from server.health import Readiness
from server.http.service import product_version


async def test_health_and_readiness(api: Any) -> None:
    assert (await api("GET", "/healthz")).json == {"status": "ok"}
    ready = await api("GET", "/readyz")
    assert (ready.status, ready.json["status"]) == (200, "ok")
    assert set(ready.json["checks"]) == {"postgresql", "redis", "media"}
    for check in ready.json["checks"].values():
        assert check["ok"]
        assert check["latency_ms"] >= 0


async def test_a_part_that_fails_makes_it_not_ready(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails() -> None:
        raise ConnectionRefusedError("secret address")

    object.__setattr__(api.services, "readiness", Readiness({"redis": fails}))
    ready = await api("GET", "/readyz")
    assert (ready.status, ready.json["status"]) == (503, "unavailable")
    assert ready.json["checks"]["redis"]["ok"] is False
    assert "secret" not in ready.text


async def test_metrics_for_this_machine(api: Any) -> None:
    await api("GET", "/api/gifts")
    reply = await api("GET", "/metrics")
    assert reply.status == 200
    assert reply.headers["Content-Type"].startswith("text/plain")
    assert (
        'http_requests_total{method="GET",route="/api/gifts",status_code="200"} 1.0' in reply.text
    )
    assert "http_rate_limit_failures_total 0.0" in reply.text


async def test_metrics_not_through_a_proxy(api: Any) -> None:
    reply = await api("GET", "/metrics", headers={"X-Forwarded-For": "192.0.2.1"})
    assert (reply.status, reply.code) == (403, "forbidden")
    # Without a token setting, no bearer opens them either.
    guessed = await api("GET", "/metrics", by="", headers={"X-Forwarded-For": "192.0.2.1"})
    assert guessed.status == 403


class TestMetricsToken:
    @pytest.fixture
    def http_settings(self) -> HttpSettings:
        return HttpSettings(
            port=0, rate_limits=False, metrics_networks=(), metrics_token=SecretStr("let-me-in")
        )

    async def test_the_token_opens_them_and_nothing_else_does(self, api: Any) -> None:
        assert (await api("GET", "/metrics", by="let-me-in")).status == 200
        assert (await api("GET", "/metrics", by="let-me-out")).status == 401
        assert (await api("GET", "/metrics")).status == 403


async def test_what_pages_need_to_know(api: Any) -> None:
    config = (await api("GET", "/api/config")).json
    assert config == {
        "chat_url": f"ws://127.0.0.1:{api.services.chat.port}/",
        "currency": "COIN",
        "version": product_version(),
    }


async def test_the_document_is_served(api: Any) -> None:
    reply = await api("GET", "/api/openapi.json")
    assert reply.json["openapi"].startswith("3.1")
    assert json.dumps(reply.json)
