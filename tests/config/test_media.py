import pytest
from pydantic import ValidationError

from config.media import MediaSettings


def test_the_defaults_stay_on_the_loopback() -> None:
    settings = MediaSettings()
    assert settings.bind_host == "127.0.0.1"
    assert settings.public_addresses == ("127.0.0.1",)


def test_addresses_are_ip_addresses() -> None:
    settings = MediaSettings(bind_host="::", public_addresses=("203.0.113.9", "2001:DB8::9"))
    assert settings.public_addresses == ("203.0.113.9", "2001:db8::9")
    for wrong in ({"bind_host": "localhost"}, {"public_addresses": ("example.org",)}):
        with pytest.raises(ValidationError):
            MediaSettings(**wrong)


def test_a_candidate_is_needed() -> None:
    with pytest.raises(ValidationError):
        MediaSettings(public_addresses=())
