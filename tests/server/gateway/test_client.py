from ipaddress import ip_address, ip_network

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from server.gateway.client import Client, Network, identify_client, is_in_any, parse_address

PROXY = "10.0.0.2"
TRUSTED: tuple[Network, ...] = (ip_network("10.0.0.0/8"),)
LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def headers(*pairs: tuple[str, str]) -> CIMultiDictProxy[str]:
    return CIMultiDictProxy(CIMultiDict(pairs))


def identified(
    peer: str | None, *pairs: tuple[str, str], trusted: tuple[Network, ...] = TRUSTED
) -> Client:
    return identify_client(peer, headers(*pairs), trusted, secure=False)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" [2001:db8::1] ", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
    ],
)
def test_an_address_is_parsed(text: str, address: str) -> None:
    assert parse_address(text) == ip_address(address)


@pytest.mark.parametrize("text", [None, "", "unknown", "192.0.2.1:80", "192.0.2.256"])
def test_what_is_no_address_is_none(text: str | None) -> None:
    assert parse_address(text) is None


def test_a_stranger_s_forwarding_headers_are_not_believed() -> None:
    client = identified(
        "192.0.2.9",
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Proto", "https"),
    )
    assert (str(client.address), client.https, client.direct) == ("192.0.2.9", False, False)
    assert not client.behind_trusted_proxy


def test_a_trusted_proxy_names_the_client() -> None:
    client = identified(PROXY, ("X-Forwarded-For", "192.0.2.9"), ("X-Forwarded-Proto", "HTTPS"))
    assert (str(client.address), client.https, client.direct) == ("192.0.2.9", True, True)


def test_the_last_hop_that_is_not_trusted_is_the_client() -> None:
    client = identified(
        PROXY, ("X-Forwarded-For", "127.0.0.1, 192.0.2.9"), ("X-Forwarded-For", "10.1.1.1")
    )
    assert str(client.address) == "192.0.2.9"


def test_a_broken_list_of_hops_ends_at_what_was_vouched_for() -> None:
    client = identified(PROXY, ("X-Forwarded-For", "192.0.2.9, nonsense, 10.1.1.1"))
    assert str(client.address) == "10.1.1.1"


def test_a_proxy_on_this_machine_that_is_not_trusted_makes_nobody_local() -> None:
    assert identified("127.0.0.1").in_any(LOOPBACK)
    assert not identified("127.0.0.1", ("X-Forwarded-For", "192.0.2.9")).in_any(LOOPBACK)
    assert not identified("127.0.0.1", ("Forwarded", "for=192.0.2.9")).in_any(LOOPBACK)


def test_networks_of_another_family_don_t_match() -> None:
    assert is_in_any(ip_address("::1"), LOOPBACK)
    assert not is_in_any(ip_address("::1"), LOOPBACK[:1])
    assert not is_in_any(None, LOOPBACK)


@pytest.mark.parametrize(
    ("address", "subject"),
    [
        ("192.0.2.9", "192.0.2.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.9", "192.0.2.9"),
    ],
)
def test_ipv6_is_limited_by_network(address: str, subject: str) -> None:
    assert identified(address).rate_subject == subject
