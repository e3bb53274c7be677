"""Who a connection counts for, and that nobody can choose it."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.addresses import client_key

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "key"),
    [
        ("198.51.100.7", "", "198.51.100.7"),
        ("198.51.100.7", "203.0.113.1", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.1", "203.0.113.1"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.1", "203.0.113.1"),
        ("10.0.0.1", "203.0.113.1, 10.0.0.2", "203.0.113.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.1, nonsense", "10.0.0.1"),
        ("fd00::1", "2001:db8::5", "2001:db8::/64"),
        ("2001:db8::1", "", "2001:db8::/64"),
        ("2001:db8::2%eth0", "", "2001:db8::/64"),
        ("::ffff:198.51.100.7", "", "198.51.100.7"),
        ("a socket", "", "a socket"),
    ],
)
def test_client_key(peer: str, forwarded_for: str, key: str) -> None:
    assert client_key(peer, forwarded_for, PROXIES) == key


@given(st.text())
def test_a_client_can_not_choose_its_key(header: str) -> None:
    assert client_key("198.51.100.7", header, PROXIES) == "198.51.100.7"


@given(st.text())
def test_any_header_of_a_proxy_has_an_answer(header: str) -> None:
    assert client_key("10.0.0.1", header, PROXIES)
