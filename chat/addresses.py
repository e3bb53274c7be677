"""Which client a connection counts for."""

from collections.abc import Collection
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

IPV6_CLIENT_PREFIX = 64  # what one household or host is commonly given (RFC 6177)


def client_key(
    peer: str, forwarded_for: str, trusted: Collection[IPv4Network | IPv6Network]
) -> str:
    """The IPv4 address or IPv6 /64 network of the client.

    `forwarded_for` (`X-Forwarded-For`) is read from its right end: each trusted hop vouches for the
    one before it, and the first that is not trusted is the client.
    """
    address = _parsed(peer)
    for hop in reversed(forwarded_for.split(",")):
        if address is None or not any(address in network for network in trusted):
            break
        if (before := _parsed(hop.strip())) is None:
            break
        address = before
    if address is None:
        return peer
    if isinstance(address, IPv6Address):
        return str(ip_network((address, IPV6_CLIENT_PREFIX), strict=False))
    return str(address)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
