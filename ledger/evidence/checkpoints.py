"""Checkpoints: signed statements that at some moment the chain had this hash at this position.

What is signed (Ed25519, RFC 8032) is a text of six lines, each with a line feed at its end:

    sociallive ledger checkpoint v1
    position 170
    sequence 165
    hash 3f0c…            64 hexadecimal digits
    signed_at 2026-01-31T12:00:00.000000Z
    key_id 9a61…          16 hexadecimal digits: the start of SHA-256 over the raw public key

Kept outside of the database, a checkpoint makes it impossible to rewrite what came before it.

MalformedCheckpoints
    The file is no export of checkpoints.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

FORMAT = "sociallive.ledger.checkpoints.v1"


class MalformedCheckpoints(ValueError):
    """The bytes are no export of checkpoints."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One signed statement; `signed_at` is in UTC, in whole microseconds."""

    position: int
    sequence: int
    hash: bytes
    signed_at: datetime
    key_id: str
    signature: bytes

    def message(self) -> bytes:
        """What the signature is over."""
        return _message(self.position, self.sequence, self.hash, self.signed_at, self.key_id)

    def fault(self, keys: Mapping[str, Ed25519PublicKey]) -> str | None:
        """What is wrong with the signature, None where it is good."""
        key = keys.get(self.key_id)
        if key is None:
            return f"signed by key {self.key_id}, which is not among the keys that are trusted"
        try:
            key.verify(self.signature, self.message())
        except InvalidSignature:
            return f"the signature by key {self.key_id} is wrong"
        return None


def key_id_of(key: Ed25519PublicKey) -> str:
    """The start of SHA-256 over the raw public key, in hexadecimal."""
    return sha256(key.public_bytes_raw()).hexdigest()[:16]


def sign(
    key: Ed25519PrivateKey, *, position: int, sequence: int, head: bytes, at: datetime
) -> Checkpoint:
    """State with `key` that the chain has hash `head` at `position`."""
    key_id = key_id_of(key.public_key())
    signature = key.sign(_message(position, sequence, head, at, key_id))
    return Checkpoint(position, sequence, head, at, key_id, signature)


def export(checkpoints: Iterable[Checkpoint], keys: Mapping[str, Ed25519PublicKey]) -> bytes:
    """`document` as a file."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(document(checkpoints, keys), option=options)


def document(
    checkpoints: Iterable[Checkpoint], keys: Mapping[str, Ed25519PublicKey]
) -> dict[str, Any]:
    """Checkpoints, and the public keys for whoever has no better source of them, for JSON."""
    return {
        "format": FORMAT,
        "keys": [
            {"key_id": key_id, "ed25519": b64encode(key.public_bytes_raw()).decode()}
            for key_id, key in keys.items()
        ],
        "checkpoints": [written(each) for each in checkpoints],
    }


def written(checkpoint: Checkpoint) -> dict[str, Any]:
    """A checkpoint for JSON: hash and time as they were signed, the signature in base64."""
    return {
        "position": checkpoint.position,
        "sequence": checkpoint.sequence,
        "hash": checkpoint.hash.hex(),
        "signed_at": _rfc3339(checkpoint.signed_at),
        "key_id": checkpoint.key_id,
        "signature": b64encode(checkpoint.signature).decode(),
    }


def read_export(content: bytes) -> tuple[tuple[Checkpoint, ...], dict[str, Ed25519PublicKey]]:
    """The checkpoints of an exported file and the keys that it names; nothing is verified.

    Raises MalformedCheckpoints.
    """
    try:
        read = orjson.loads(content)
        if read["format"] != FORMAT:
            raise MalformedCheckpoints(f"the format is not {FORMAT}")
        keys = [
            Ed25519PublicKey.from_public_bytes(b64decode(each["ed25519"], validate=True))
            for each in read["keys"]
        ]
        checkpoints = tuple(_checkpoint(each) for each in read["checkpoints"])
    except (TypeError, KeyError, ValueError) as error:
        raise MalformedCheckpoints(f"no export of checkpoints: {error}") from error
    return checkpoints, {key_id_of(key): key for key in keys}


def _checkpoint(value: Mapping[str, Any]) -> Checkpoint:
    signed_at = datetime.fromisoformat(value["signed_at"])
    if signed_at.tzinfo is None:
        raise ValueError("signed_at has no offset from UTC")
    if not (type(value["position"]) is type(value["sequence"]) is int):
        raise TypeError("position and sequence are integers")
    return Checkpoint(
        position=value["position"],
        sequence=value["sequence"],
        hash=bytes.fromhex(value["hash"]),
        signed_at=signed_at,
        key_id=str(value["key_id"]),
        signature=b64decode(value["signature"], validate=True),
    )


def _message(position: int, sequence: int, head: bytes, at: datetime, key_id: str) -> bytes:
    return (
        "sociallive ledger checkpoint v1\n"
        f"position {position}\n"
        f"sequence {sequence}\n"
        f"hash {head.hex()}\n"
        f"signed_at {_rfc3339(at)}\n"
        f"key_id {key_id}\n"
    ).encode()


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
