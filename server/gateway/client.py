"""Who is at the other end of a request: its address and scheme, seen through trusted proxies."""

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass

from aiohttp import web
from multidict import CIMultiDictProxy

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

FORWARDING_HEADERS = ("X-Forwarded-For", "X-Forwarded-Proto", "Forwarded")


@dataclass(frozen=True, slots=True)
class Client:
    """One end of a connection.

    `direct` says that no proxy that we don't trust claims to stand in between: only then does an
    address of our own machine mean somebody on our own machine.
    """

    address: Address | None
    https: bool
    direct: bool
    behind_trusted_proxy: bool

    def in_any(self, networks: Collection[Network]) -> bool:
        """Whether the client itself sits in one of `networks`."""
        return self.direct and is_in_any(self.address, networks)

    @property
    def rate_subject(self) -> str:
        """What address limits count: an IPv4 address, or the /64 that one subscriber has."""
        if isinstance(self.address, ipaddress.IPv6Address):
            return str(ipaddress.ip_network((self.address, 64), strict=False))
        return str(self.address)


CLIENT = web.RequestKey("client", Client)


def parse_address(text: str | None) -> Address | None:
    """The address that `text` is; IPv4 inside IPv6 counts as IPv4; None where it is none."""
    try:
        address = ipaddress.ip_address((text or "").strip().strip("[]").partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_in_any(address: Address | None, networks: Collection[Network]) -> bool:
    """Whether `address` is in one of `networks`."""
    return address is not None and any(address in network for network in networks)


def identify_client(
    peer: str | None,
    headers: CIMultiDictProxy[str],
    trusted: Collection[Network],
    *,
    secure: bool,
) -> Client:
    """The client behind the connection from `peer`.

    `X-Forwarded-For` is read from its right end: each trusted hop vouches for the one before it,
    and the first that is not trusted is the client.
    """
    address = parse_address(peer)
    if not is_in_any(address, trusted):
        claims = any(name in headers for name in FORWARDING_HEADERS)
        return Client(address, secure, direct=not claims, behind_trusted_proxy=False)
    for hop in reversed(",".join(headers.getall("X-Forwarded-For", ())).split(",")):
        if (forwarded := parse_address(hop)) is None:
            break
        address = forwarded
        if not is_in_any(address, trusted):
            break
    scheme = headers.get("X-Forwarded-Proto", "https" if secure else "http")
    return Client(
        address, scheme.strip().lower() == "https", direct=True, behind_trusted_proxy=True
    )
