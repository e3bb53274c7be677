"""The RSA keys that sign access tokens: PEM files in one folder.

A file is named `<UTC time of creation>-<start of its key id>.pem`, so names sort by age: the newest
key signs, all of them verify. To rotate, add a file and restart; remove the old one when the last
token that it signed has expired. A folder without keys gets its first one.
"""

import fcntl
import os
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

KEY_BITS = 2048
_FORBIDDEN_MODE = 0o027  # writable by the group, or anything for others


class KeyRingError(Exception):
    """The folder cannot be used; the message names the file and what to do."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One RSA key; `key_id` is the RFC 7638 thumbprint of its public half."""

    key_id: str
    private: RSAPrivateKey

    def jwk(self) -> dict[str, str]:
        """The public half (RFC 7517 §4, RFC 7518 §6.3.1)."""
        return {
            **_required_members(self.private),
            "use": "sig",
            "alg": "RS256",
            "kid": self.key_id,
        }


class KeyRing:
    """Signing keys by id. Immutable once opened."""

    def __init__(self, keys: tuple[SigningKey, ...]) -> None:
        """`keys` from the oldest to the newest, at least one."""
        self.signing = keys[-1]
        self._by_id = {key.key_id: key for key in keys}

    @classmethod
    def open(cls, directory: Path, *, now: datetime) -> "KeyRing":
        """The keys in `directory`, which is made, with a first key in it, when it is missing.

        Blocks (reads files, may generate a key); safe to run in several processes at once.
        Raises KeyRingError.
        """
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(directory):
            if not any(directory.glob("*.pem")):
                _write_key(directory, generate_private_key(65_537, KEY_BITS), now)
            paths = sorted(directory.glob("*.pem"))
        return cls(tuple(_read_key(path) for path in paths))

    def find(self, key_id: str) -> SigningKey | None:
        """The key with this id."""
        return self._by_id.get(key_id)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public key set (RFC 7517 §5), newest key first."""
        return {"keys": [key.jwk() for key in reversed(self._by_id.values())]}


def thumbprint(key: RSAPrivateKey) -> str:
    """The JWK thumbprint (RFC 7638 §3): SHA-256 over the required members in their order."""
    members = ",".join(f'"{name}":"{value}"' for name, value in _required_members(key).items())
    return _base64url(sha256(f"{{{members}}}".encode()).digest())


def _required_members(key: RSAPrivateKey) -> dict[str, str]:
    """RFC 7638 §3.2: `e`, `kty`, `n`, in lexicographic order."""
    public = key.public_key().public_numbers()
    return {"e": _base64url_integer(public.e), "kty": "RSA", "n": _base64url_integer(public.n)}


def _base64url_integer(value: int) -> str:
    return _base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _base64url(octets: bytes) -> str:
    return urlsafe_b64encode(octets).decode().rstrip("=")


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """One process at a time; the lock ends with its holder, however that ends."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write_key(directory: Path, key: RSAPrivateKey, now: datetime) -> None:
    """Writes the whole file under another name first: a crash leaves no half key."""
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = directory / f"{now:%Y%m%dT%H%M%SZ}-{thumbprint(key)[:8]}.pem"
    draft = path.with_suffix(".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


def _read_key(path: Path) -> SigningKey:
    if path.stat().st_mode & _FORBIDDEN_MODE:
        raise KeyRingError(f"{path} is open to other users. Run: chmod 600 {path}")
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise KeyRingError(f"{path} is no unencrypted PEM private key. Remove it.") from error
    if not isinstance(key, RSAPrivateKey) or key.key_size < KEY_BITS:
        raise KeyRingError(f"{path} is no RSA key of at least {KEY_BITS} bits. Remove it.")
    return SigningKey(thumbprint(key), key)
