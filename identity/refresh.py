"""Refresh tokens: opaque to clients, known to the server by their SHA-256 only.

    rt_ base64url( user id 16 | session id 16 | family 16 | secret 32 )

The ids say where to look. The family is random, the same in all tokens of a session, and stands in
none of its access tokens: who knows the family of a session held one of its refresh tokens, so that
a token of the right family with another secret than the current one was spent before, or is made
from one that was. The secret of 256 random bits is new in each token.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TypeAlias
from uuid import UUID

from identity.errors import InvalidRefreshToken

RandomOctets: TypeAlias = Callable[[int], bytes]
"""So many octets that nobody can guess, as `secrets.token_bytes` makes them."""

_PREFIX = "rt_"
_FAMILY_OCTETS, _SECRET_OCTETS = 16, 32
_OCTETS = 16 + 16 + _FAMILY_OCTETS + _SECRET_OCTETS
_CHARS = len(_PREFIX) + (_OCTETS * 4 + 2) // 3


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One token, taken apart."""

    user_id: UUID
    session_id: UUID
    family: bytes = field(repr=False)
    secret: bytes = field(repr=False)

    @classmethod
    def first(cls, user_id: UUID, session_id: UUID, random: RandomOctets) -> "RefreshToken":
        """The first token of a new session."""
        return cls(user_id, session_id, random(_FAMILY_OCTETS), random(_SECRET_OCTETS))

    @classmethod
    def parse(cls, text: str) -> "RefreshToken":
        """Raises InvalidRefreshToken where the text is no token of any session."""
        if len(text) != _CHARS or not text.startswith(_PREFIX):
            raise InvalidRefreshToken
        try:
            octets = urlsafe_b64decode(text.removeprefix(_PREFIX) + "=" * (-_OCTETS % 3))
        except (binascii.Error, ValueError) as error:
            raise InvalidRefreshToken from error
        if len(octets) != _OCTETS:
            raise InvalidRefreshToken
        family, secret = octets[32 : 32 + _FAMILY_OCTETS], octets[32 + _FAMILY_OCTETS :]
        return cls(UUID(bytes=octets[:16]), UUID(bytes=octets[16:32]), family, secret)

    def successor(self, random: RandomOctets) -> "RefreshToken":
        """The next token of the session."""
        return replace(self, secret=random(_SECRET_OCTETS))

    def text(self) -> str:
        """What the client is given."""
        octets = self.user_id.bytes + self.session_id.bytes + self.family + self.secret
        return _PREFIX + urlsafe_b64encode(octets).decode().rstrip("=")

    @property
    def family_hash(self) -> str:
        """SHA-256 of the family, in hexadecimal digits."""
        return sha256(self.family).hexdigest()

    @property
    def secret_hash(self) -> str:
        """SHA-256 of the secret, in hexadecimal digits."""
        return sha256(self.secret).hexdigest()
