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


def test_the_ports_of_all_workers_exist() -> None:
    assert MediaSettings(udp_port=65_532, workers=4).workers == 4
    assert MediaSettings(udp_port=0, workers=64).udp_port == 0
    with pytest.raises(ValidationError, match="65535"):
        MediaSettings(udp_port=65_533, workers=4)


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        ({}, "127.0.0.1"),
        ({"bind_host": "10.0.0.5"}, "10.0.0.5"),
        ({"bind_host": "0.0.0.0"}, "127.0.0.1"),
        ({"bind_host": "::"}, "::1"),
        ({"bind_host": "0.0.0.0", "feed_address": "10.0.0.6"}, "10.0.0.6"),
    ],
)
def test_workers_reach_each_other_at_an_address(settings: dict[str, str], host: str) -> None:
    assert MediaSettings(**settings).feed_host == host
