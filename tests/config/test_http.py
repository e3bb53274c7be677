"""Settings of the HTTP listener."""

import pytest
from pydantic import ValidationError

from config.http import HttpSettings


def test_nobody_is_trusted_and_no_origin_allowed_by_default() -> None:
    settings = HttpSettings()
    assert settings.trusted_proxies == ()
    assert settings.allowed_origins == ()
    assert settings.metrics_token is None
    assert all(network.is_loopback for network in settings.metrics_networks)
    assert settings.max_body_bytes == 64 * 1024


@pytest.mark.parametrize(
    "wrong",
    [
        {"trusted_proxies": ["proxy.example"]},
        {"allowed_origins": ["*"]},
        {"allowed_origins": ["https://a.example/path"]},
        {"chat_url": "https://a.example/"},
        {"chat_url": "wss://a.example/; script-src *"},
        {"rates": {"read": {"address": {"burst": 0, "per_s": 1}}}},
        {"head_timeout_s": 0},
        {"max_connections": 0},
    ],
    ids=str,
)
def test_what_would_open_or_break_the_gateway_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        HttpSettings.model_validate(wrong)
