"""The Ed25519 keys that sign checkpoints: PEM files in one folder of the data folder.

`<UTC time of creation>-<key id>.pem` is a private key of mode 0600: names sort by age, and the
newest key signs. A key that is made while the clock is behind that of the newest is named a
microsecond later than that one. `*.pub.pem` is a public key, for instance of another node, and is
trusted as well. To rotate, add a key; the old ones stay, as their signatures have to be checked for
ever.

KeyRingError
    The folder can't be used; the message names the file and what to do.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.evidence.checkpoints import key_id_of

_FORBIDDEN_MODE = 0o077
_PUBLIC = ".pub.pem"
_NAMED = "%Y%m%dT%H%M%S%fZ"


class KeyRingError(Exception):
    """The folder can't be used."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys in a folder, as it was read."""

    signing: Ed25519PrivateKey | None
    """The newest private key."""

    trusted: dict[str, Ed25519PublicKey]
    """All public keys by their id, oldest first."""

    @classmethod
    def read(cls, folder: Path) -> "KeyRing":
        """The keys in `folder`; none where there is no such folder. Raises KeyRingError."""
        paths = sorted(folder.glob("*.pem"))
        private = [_read_private(path) for path in paths if not path.name.endswith(_PUBLIC)]
        public = [read_public(path) for path in paths if path.name.endswith(_PUBLIC)]
        trusted = [*(key.public_key() for key in private), *public]
        return cls(private[-1] if private else None, {key_id_of(key): key for key in trusted})


def add_key(folder: Path, *, now: datetime) -> str:
    """Write a new private key, which signs from now on; its id."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    key_id = key_id_of(key.public_key())
    path = folder / f"{_after_all(folder, now):{_NAMED}}-{key_id}.pem"
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    draft = path.with_suffix(".draft")  # a crash leaves no half key
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    return key_id


def _after_all(folder: Path, now: datetime) -> datetime:
    names = (path.name for path in folder.glob("*.pem") if not path.name.endswith(_PUBLIC))
    newest = max(names, default="").partition("-")[0]
    try:
        named = datetime.strptime(newest, _NAMED).replace(tzinfo=UTC)
    except ValueError:  # there is none, or somebody named it
        return now
    return max(now, named + timedelta(microseconds=1))


def read_public(path: Path) -> Ed25519PublicKey:
    """The public key in a PEM file. Raises KeyRingError."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise KeyRingError(f"{path} is no public key in PEM: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeyRingError(f"{path} is no Ed25519 key.")
    return key


def _read_private(path: Path) -> Ed25519PrivateKey:
    if path.stat().st_mode & _FORBIDDEN_MODE:
        raise KeyRingError(f"{path} is open to other users. Run: chmod 600 {path}")
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise KeyRingError(f"{path} is no unencrypted PEM private key. Remove it.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyRingError(f"{path} is no Ed25519 key. Remove it.")
    return key
