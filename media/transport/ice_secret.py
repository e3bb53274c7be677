"""ICE passwords that follow from their user name fragments, for whoever has the server's key.

A worker that takes a dead one's place has none of its sessions, but with the same key it can still
check and answer their STUN requests: it revokes consent, so that a peer hears that its session is
over and need not wait until it has missed enough answers. Nothing is kept for that, and only who
knows the password gets the answer.
"""

import hmac
from typing import Final

from media.wire.offer import IceCredentials

KEY_BYTES: Final = 32
UFRAG_CHARS: Final = 16
_PWD_CHARS: Final = 32
"""Hexadecimal: 128 bits, as RFC 8445 §5.3 asks for. To those without the key they are random."""


class IceSecret:
    """The key, which all workers of a server share."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"the key of ICE passwords has {KEY_BYTES} bytes")
        self._key = key

    def credentials(self, ufrag: str) -> IceCredentials:
        """What belongs to a user name fragment, which must be fresh and random."""
        digest = hmac.digest(self._key, b"ice-pwd " + ufrag.encode(), "sha256")
        return IceCredentials(ufrag=ufrag, pwd=digest.hex()[:_PWD_CHARS])
