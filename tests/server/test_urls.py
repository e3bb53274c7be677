"""Addresses as people and programs write them."""

import pytest

from server.urls import Urls


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "localhost"),
        ("0.0.0.0", "localhost"),
        ("::", "localhost"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "[2001:db8::7]"),
    ],
)
def test_hosts_that_stand_for_all_become_reachable(host: str, shown: str) -> None:
    assert Urls.of(host, 8080, host, 8081) == Urls(f"http://{shown}:8080", f"ws://{shown}:8081/")
