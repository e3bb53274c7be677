from typing import Any

import pytest

from config.http import HttpSettings


class TestChatAddress:
    @pytest.fixture
    def http_settings(self) -> HttpSettings:
        return HttpSettings(port=0, rate_limits=False, chat_url="wss://chat.example/socket")

    async def test_a_set_one_is_used(self, api: Any) -> None:
        config = await api("GET", "/api/config", headers={"Host": "other.example"})
        assert config.json["chat_url"] == "wss://chat.example/socket"
        policy = (await api("GET", "/")).headers["Content-Security-Policy"]
        assert "connect-src 'self' wss://chat.example/socket;" in policy


class TestBehindHttps:
    @pytest.fixture
    def http_settings(self) -> HttpSettings:
        return HttpSettings.model_validate(
            {"port": 0, "rate_limits": False, "trusted_proxies": ["127.0.0.0/8"]}
        )

    async def test_it_is_secure_where_the_page_is(self, api: Any) -> None:
        forwarded = {"X-Forwarded-Proto": "https", "Host": "live.example"}
        config = await api("GET", "/api/config", headers=forwarded)
        assert config.json["chat_url"] == f"wss://live.example:{api.services.chat.port}/"


async def test_it_follows_the_host_that_was_asked(api: Any) -> None:
    for host, expected in (
        ("live.example:8080", "live.example"),
        ("[::1]:8080", "[::1]"),
        ("a b", "localhost"),
    ):
        config = await api("GET", "/api/config", headers={"Host": host})
        assert config.json["chat_url"] == f"ws://{expected}:{api.services.chat.port}/"
