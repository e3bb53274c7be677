"""Settings of identity."""

from typing import Literal

from pydantic import Field

from config.section import Section


class IdentitySettings(Section):
    """Users, passwords, tokens and sessions."""

    issuer: str = Field(default="sociallive", min_length=1)
    """`iss` of the access tokens."""

    audience: str = Field(default="sociallive", min_length=1)
    """`aud` of the access tokens; a token made for another audience is refused."""

    client_id: str = Field(default="sociallive", min_length=1)
    """`client_id` of the access tokens (RFC 9068 §2.2): the product's own pages."""

    access_token_ttl_s: int = Field(default=900, ge=30, le=86_400)
    """Life time of an access token."""

    clock_leeway_s: int = Field(default=5, ge=0, le=60)
    """How far the clocks of two nodes may differ before a token counts as expired or too young."""

    refresh_token_ttl_s: int = Field(default=604_800, ge=60)
    """Life time of a refresh token and of the session it renews."""

    max_sessions: int = Field(default=5, ge=1, le=50)
    """Sessions a user may have at once; a further login ends the oldest."""

    registration_roles: tuple[Literal["viewer", "streamer"], ...] = Field(
        default=("viewer",), min_length=1
    )
    """Roles of a person who registers; with `streamer` everybody may go live."""

    argon2_memory_kib: int = Field(default=65_536, ge=7_168, le=4_194_304)
    """Memory of one password hash; RFC 9106 §4 recommends 64 MiB where memory is scarce."""

    argon2_iterations: int = Field(default=3, ge=1, le=100)
    """Passes over that memory."""

    argon2_lanes: int = Field(default=4, ge=1, le=64)
    """Lanes, which are threads, of one hash."""

    hash_concurrency: int = Field(default=2, ge=1, le=64)
    """Hashes made at the same time; they take this many times `argon2_memory_kib`."""

    hash_queue: int = Field(default=64, ge=1, le=10_000)
    """Hashes that may wait for their turn; further ones are refused with 503."""

    login_failures_per_account: int = Field(default=10, ge=1)
    """Failed logins of one account in the window before further ones are refused with 429."""

    login_failures_per_ip: int = Field(default=50, ge=1)
    """Failed logins from one IPv4 address or IPv6 /64 in the window; many people may share one."""

    login_window_s: int = Field(default=900, ge=1)
    """Window in which failed logins are counted; it starts at the first of them."""
