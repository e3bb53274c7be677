"""Access tokens: RS256 JWTs as RFC 9068 profiles them, the only place that knows PyJWT.

What RFC 8725 asks for is pinned: one algorithm (§3.1), the type (§3.11), issuer and audience
(§3.8, §3.9), and exactly the headers that we write, so that `jku`, `jwk`, `x5u` and `crit` of a
stranger are never looked at.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt

from config.identity import IdentitySettings
from identity.errors import ExpiredToken, InvalidToken
from identity.keys import KeyRing
from identity.principal import Principal
from identity.roles import Role
from identity.users import User

ALGORITHM = "RS256"
TYPE = "at+jwt"
MAX_TOKEN_CHARS = 4096
_HEADERS = frozenset({"alg", "typ", "kid"})
_CLAIMS = ("iss", "aud", "sub", "sid", "iat", "exp", "jti", "roles", "name", "gen")


class AccessTokens:
    """Issues and verifies.

    Claim `gen` is the generation of the session (see `identity.sessions`) that the roles in the
    token belong to.
    """

    def __init__(self, settings: IdentitySettings, keys: KeyRing) -> None:
        self._settings = settings
        self._keys = keys
        self._leeway = timedelta(seconds=settings.clock_leeway_s)

    def issue(
        self, user: User, *, session_id: UUID, generation: int, token_id: UUID, now: datetime
    ) -> str:
        """A token for `user`, valid from `now` for `access_token_ttl_s`."""
        issued_at = int(now.timestamp())
        claims = {
            "iss": self._settings.issuer,
            "aud": self._settings.audience,
            "client_id": self._settings.client_id,
            "sub": str(user.user_id),
            "sid": str(session_id),
            "gen": generation,
            "iat": issued_at,
            "exp": issued_at + self._settings.access_token_ttl_s,
            "jti": str(token_id),
            "roles": sorted(user.roles),
            "name": user.display_name,
        }
        signing = self._keys.signing
        headers = {"typ": TYPE, "kid": signing.key_id}
        return jwt.encode(claims, signing.private, algorithm=ALGORITHM, headers=headers)

    def verify(self, token: str, *, now: datetime) -> tuple[Principal, int]:
        """Who the token was issued to, and the generation of the session it belongs to.

        Raises InvalidToken, or ExpiredToken when age is all that is wrong with it.
        """
        claims = self._signed_claims(token)
        try:
            principal = Principal(
                user_id=UUID(claims["sub"]),
                display_name=str(claims["name"]),
                roles=frozenset(Role(role) for role in claims["roles"]),
                session_id=UUID(claims["sid"]),
                expires_at=datetime.fromtimestamp(claims["exp"], UTC),
            )
            issued_at = datetime.fromtimestamp(claims["iat"], UTC)
            generation = int(claims["gen"])
        except (AttributeError, TypeError, ValueError, OverflowError, OSError) as error:
            raise InvalidToken from error
        if issued_at - self._leeway > now:
            raise InvalidToken
        if principal.expires_at + self._leeway <= now:
            raise ExpiredToken
        return principal, generation

    def _signed_claims(self, token: str) -> Mapping[str, Any]:
        """The claims of a token that one of our keys signed, for this issuer and audience."""
        if len(token) > MAX_TOKEN_CHARS:
            raise InvalidToken
        try:
            header = jwt.get_unverified_header(token)
            key = self._keys.find(str(header.get("kid")))
            if key is None or header.keys() != _HEADERS or header["typ"] != TYPE:
                raise InvalidToken
            return jwt.decode(
                token,
                key.private.public_key(),
                algorithms=[ALGORITHM],
                audience=self._settings.audience,
                issuer=self._settings.issuer,
                options={
                    "require": list(_CLAIMS),
                    "strict_aud": True,
                    # Times are checked against `now`, not against PyJWT's own clock.
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise InvalidToken from error
