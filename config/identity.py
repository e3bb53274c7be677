"""Settings of identity."""

from pydantic import Field

from config.section import Section


class IdentitySettings(Section):
    """Users, tokens and sessions."""

    issuer: str = "sociallive"
    """`iss` of the access tokens."""

    audience: str = "sociallive"
    """`aud` of the access tokens."""

    access_token_ttl_s: int = Field(default=900, ge=30)
    """Life time of an access token."""

    refresh_token_ttl_s: int = Field(default=604_800, ge=60)
    """Life time of a refresh token and of the session it renews."""

    max_sessions: int = Field(default=5, ge=1)
    """Sessions a user may have at once; a further login ends the oldest."""
