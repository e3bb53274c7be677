"""Settings of sagas and payouts."""

import pytest
from pydantic import ValidationError

from config.payouts import HttpProviderSettings, PayoutSettings, SagaSettings

HTTP = {"url": "https://pay.example/v1", "token": "t", "webhook_secrets": ["s" * 32]}


def test_a_lease_outlives_a_step():
    assert SagaSettings().lease_s > SagaSettings().step_timeout_s
    with pytest.raises(ValidationError, match="lease_s"):
        SagaSettings(lease_s=30, step_timeout_s=30)


def test_by_default_an_admin_pays():
    settings = PayoutSettings()
    assert settings.provider == "manual"
    assert settings.min_minor <= settings.max_minor


def test_the_least_is_not_above_the_most():
    with pytest.raises(ValidationError, match="min_minor"):
        PayoutSettings(min_minor=10, max_minor=9)


@pytest.mark.parametrize("missing", HTTP)
def test_a_provider_needs_all_of_its_settings(missing):
    PayoutSettings(provider="http", http=HTTP)
    with pytest.raises(ValidationError, match=missing):
        PayoutSettings(provider="http", http={k: v for k, v in HTTP.items() if k != missing})


def test_a_key_that_can_be_guessed_is_refused():
    with pytest.raises(ValidationError, match="32 characters"):
        PayoutSettings(provider="http", http=HTTP | {"webhook_secrets": ["short"]})


@pytest.mark.parametrize(
    "url",
    [
        "http://pay.example/v1",
        "https://key:secret@pay.example/",
        "https://pay.example/?key=secret",
        "https://pay.example/#secret",
        "ftp://pay.example/",
    ],
)
def test_no_secret_rides_in_an_address_or_in_the_open(url):
    with pytest.raises(ValidationError):
        HttpProviderSettings(url=url)
    assert HttpProviderSettings(url="http://127.0.0.1:9/v1").url is not None
    assert HttpProviderSettings(url="http://[::1]:9/v1").url is not None


def test_secrets_are_not_shown():
    shown = repr(PayoutSettings(provider="http", http=HTTP | {"token": "hush-hush"}))
    assert "hush-hush" not in shown
    assert "s" * 32 not in shown
