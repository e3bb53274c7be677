import json
import multiprocessing
from base64 import urlsafe_b64decode
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicNumbers,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption

from identity.keys import KeyRing, KeyRingError, thumbprint

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)

# RFC 7638 §3.1
RFC_MODULUS = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECP"
    "ebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY"
    "368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0f"
    "M4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
)
RFC_THUMBPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


class PublicHalf:
    """As much of a private key as a thumbprint needs."""

    def __init__(self, numbers: RSAPublicNumbers) -> None:
        self._numbers = numbers

    def public_key(self) -> "PublicHalf":
        return self

    def public_numbers(self) -> RSAPublicNumbers:
        return self._numbers


def write_pem(
    path: Path,
    key: PrivateKeyTypes,
    encryption: NoEncryption | BestAvailableEncryption | None = None,
    mode: int = 0o600,
) -> None:
    path.parent.mkdir(exist_ok=True)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        encryption or NoEncryption(),
    )
    path.write_bytes(pem)
    path.chmod(mode)


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return generate_private_key(65_537, 2048)


def test_the_thumbprint_is_that_of_the_rfcs_example() -> None:
    modulus = int.from_bytes(urlsafe_b64decode(RFC_MODULUS + "=="), "big")
    example = PublicHalf(RSAPublicNumbers(65_537, modulus))
    assert thumbprint(example) == RFC_THUMBPRINT  # type: ignore[arg-type]


def test_an_empty_folder_gets_a_key_that_only_its_owner_reads(key_folder: Path) -> None:
    ring = KeyRing.open(key_folder, now=NOW)
    [path] = key_folder.iterdir()
    assert path.name == f"20260131T120000Z-{ring.signing.key_id[:8]}.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    assert key_folder.stat().st_mode & 0o777 == 0o700
    assert ring.signing.private.key_size == 2048


def test_the_same_folder_is_the_same_ring(key_folder: Path) -> None:
    first = KeyRing.open(key_folder, now=NOW)
    assert KeyRing.open(key_folder, now=NOW).jwks() == first.jwks()


def _key_id(folder: Path) -> str:
    return KeyRing.open(folder, now=NOW).signing.key_id


@pytest.mark.slow
def test_processes_that_start_at_once_agree_on_one_key(key_folder: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as processes:
        key_ids = processes.map(_key_id, [key_folder] * 8, chunksize=1)
    assert len(set(key_ids)) == 1
    assert len(list(key_folder.iterdir())) == 1


def test_the_newest_signs_and_all_are_known(key_folder: Path, key: RSAPrivateKey) -> None:
    first = KeyRing.open(key_folder, now=NOW).signing
    write_pem(key_folder / "20260301T000000Z-new.pem", key)
    ring = KeyRing.open(key_folder, now=NOW)
    assert ring.signing.key_id == thumbprint(key) != first.key_id
    assert [row["kid"] for row in ring.jwks()["keys"]] == [thumbprint(key), first.key_id]
    assert ring.find(first.key_id) is not None
    assert ring.find("unknown") is None


def test_the_key_set_holds_public_halves_only(key_folder: Path) -> None:
    ring = KeyRing.open(key_folder, now=NOW)
    [row] = ring.jwks()["keys"]
    assert set(row) == {"kty", "use", "alg", "kid", "n", "e"}
    assert (row["kty"], row["use"], row["alg"], row["e"]) == ("RSA", "sig", "RS256", "AQAB")
    assert json.loads(json.dumps(row)) == row


def test_a_draft_that_a_crash_left_behind_is_no_key(key_folder: Path) -> None:
    key_folder.mkdir()
    (key_folder / "20260131T115900Z-dead.draft").write_bytes(b"-----BEGIN")
    assert KeyRing.open(key_folder, now=NOW).signing


@pytest.mark.parametrize("mode", [0o604, 0o620, 0o666])
def test_a_key_that_is_open_to_others_is_refused(
    key_folder: Path, key: RSAPrivateKey, mode: int
) -> None:
    write_pem(key_folder / "open.pem", key, mode=mode)
    with pytest.raises(KeyRingError, match=r"chmod 600 .*open\.pem"):
        KeyRing.open(key_folder, now=NOW)


def test_a_key_of_another_kind_is_refused(key_folder: Path) -> None:
    write_pem(key_folder / "ec.pem", generate_ec_key(SECP256R1()))
    with pytest.raises(KeyRingError, match=r"ec\.pem is no RSA key"):
        KeyRing.open(key_folder, now=NOW)


def test_a_short_key_is_refused(key_folder: Path) -> None:
    write_pem(key_folder / "short.pem", generate_private_key(65_537, 1024))
    with pytest.raises(KeyRingError, match=r"short\.pem is no RSA key of at least 2048 bits"):
        KeyRing.open(key_folder, now=NOW)


def test_an_encrypted_key_is_refused(key_folder: Path, key: RSAPrivateKey) -> None:
    write_pem(key_folder / "locked.pem", key, BestAvailableEncryption(b"secret"))
    with pytest.raises(KeyRingError, match=r"locked\.pem is no unencrypted"):
        KeyRing.open(key_folder, now=NOW)


def test_what_is_no_key_is_refused(key_folder: Path) -> None:
    key_folder.mkdir()
    (key_folder / "text.pem").write_text("hello")
    (key_folder / "text.pem").chmod(0o600)
    with pytest.raises(KeyRingError, match=r"text\.pem is no unencrypted PEM"):
        KeyRing.open(key_folder, now=NOW)
