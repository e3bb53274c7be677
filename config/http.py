"""Settings of the HTTP listener and its gateway."""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import Field, IPvAnyNetwork, SecretStr, StringConstraints

from config.section import Section

Origin = Annotated[str, StringConstraints(pattern=r"^https?://[A-Za-z0-9.\-\[\]:]+$")]
SocketUrl = Annotated[str, StringConstraints(pattern=r"^wss?://[A-Za-z0-9.\-\[\]:]+/[^\s;,']*$")]


class Bucket(Section):
    """How often one address or user may do something."""

    burst: int = Field(ge=1)
    """Requests that may come at once."""

    per_s: float = Field(gt=0)
    """Requests a second that may come in the long run."""


class ClassRates(Section):
    """The limits of one class of routes. Many people can share an address, so it may do more."""

    address: Bucket
    """For one IPv4 address or one IPv6 /64 network."""

    user: Bucket
    """For one signed-in user."""


def _rates(address: tuple[int, float], user: tuple[int, float]) -> ClassRates:
    return ClassRates(
        address=Bucket(burst=address[0], per_s=address[1]),
        user=Bucket(burst=user[0], per_s=user[1]),
    )


class RateSettings(Section):
    """Rate limits by class of route; every route names its class."""

    sign_in: ClassRates = _rates((30, 0.5), (30, 0.5))
    """Register, login and refresh: each costs a password hash or a signature."""

    read: ClassRates = _rates((400, 100), (200, 50))
    """Reads, and the files of the pages."""

    write: ClassRates = _rates((100, 30), (40, 10))
    """Writes: streams, gifts, administration."""

    session: ClassRates = _rates((200, 20), (40, 5))
    """WHIP and WHEP: each offer costs a certificate check and a handshake."""

    probe: ClassRates = _rates((60, 10), (60, 10))
    """Health, readiness and metrics."""


class HttpSettings(Section):
    """The HTTP listener and its gateway."""

    host: str = "127.0.0.1"
    """Address that the HTTP listener binds to."""

    port: int = Field(default=8080, ge=0, le=65535)
    """TCP port of the HTTP listener; 0 takes a free one."""

    chat_url: SocketUrl | None = None
    """`wss://…/` under which browsers reach the chat; left out: the host that the page was asked
    from, with the chat's own port."""

    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    """Networks of reverse proxies whose `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Request-Id`
    are believed; from anyone else they are ignored."""

    allowed_origins: tuple[Origin, ...] = ()
    """Origins of foreign pages that may call `/api` and `/auth` from a browser (CORS)."""

    metrics_networks: tuple[IPvAnyNetwork, ...] = (
        IPv4Network("127.0.0.0/8"),
        IPv6Network("::1/128"),
    )
    """Networks that may read `/metrics` without a token."""

    metrics_token: SecretStr | None = None
    """Bearer token with which `/metrics` may be read from anywhere; left out: there is none."""

    max_connections: int = Field(default=4096, ge=1)
    """Open connections at once; further ones are closed at once."""

    max_body_bytes: int = Field(default=65_536, ge=1024)
    """Largest request body; a larger one gets 413."""

    head_timeout_s: float = Field(default=10.0, gt=0)
    """How long a client may take over the head of a request before it is cut off."""

    body_timeout_s: float = Field(default=10.0, gt=0)
    """How long a client may take over the body of a request before it gets 408."""

    keepalive_timeout_s: float = Field(default=75.0, gt=0)
    """How long an idle connection is kept; longer than a reverse proxy keeps it."""

    shutdown_timeout_s: float = Field(default=5.0, gt=0)
    """How long requests that run may take to end when the server stops."""

    rate_limits: bool = True
    """Whether requests are counted and limited; off for load tests only."""

    rates: RateSettings = Field(default_factory=RateSettings)
    """The rate limits by class of route."""
