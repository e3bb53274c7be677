"""The folder of keys: who may read it, which key signs, whom it trusts."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from ledger.evidence.checkpoints import key_id_of
from ledger.evidence.key_ring import KeyRing, KeyRingError, add_key

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def public_pem(key):
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def private_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def test_an_empty_folder_signs_nothing(tmp_path):
    ring = KeyRing.read(tmp_path / "missing")
    assert (ring.signing, ring.trusted) == (None, {})


def test_the_newest_key_signs_and_all_are_trusted(tmp_path):
    folder = tmp_path / "keys"
    first = add_key(folder, now=NOW)
    second = add_key(folder, now=NOW + timedelta(seconds=1))
    ring = KeyRing.read(folder)
    assert list(ring.trusted) == [first, second]
    assert key_id_of(ring.signing.public_key()) == second
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_key_that_is_added_while_the_clock_is_behind_signs_all_the_same(tmp_path):
    add_key(tmp_path, now=NOW)
    for now in (NOW, NOW - timedelta(days=1)):
        added = add_key(tmp_path, now=now)
        assert key_id_of(KeyRing.read(tmp_path).signing.public_key()) == added
    names = sorted(path.name.partition("-")[0] for path in tmp_path.iterdir())
    assert names == [f"20260131T12000000000{n}Z" for n in range(3)]


def test_a_key_that_somebody_named_does_not_stop_the_next(tmp_path):
    add_key(tmp_path, now=NOW)
    [path] = tmp_path.iterdir()
    path.rename(tmp_path / "0-mine.pem")
    added = add_key(tmp_path, now=NOW)
    assert key_id_of(KeyRing.read(tmp_path).signing.public_key()) == added


def test_another_nodes_public_key_is_trusted_but_does_not_sign(tmp_path):
    mine = add_key(tmp_path, now=NOW)
    other = Ed25519PrivateKey.generate()
    (tmp_path / "zz.pub.pem").write_bytes(public_pem(other))
    ring = KeyRing.read(tmp_path)
    assert set(ring.trusted) == {mine, key_id_of(other.public_key())}
    assert key_id_of(ring.signing.public_key()) == mine


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_that_others_can_read_is_refused(tmp_path, mode):
    add_key(tmp_path, now=NOW)
    [path] = tmp_path.iterdir()
    path.chmod(mode)
    with pytest.raises(KeyRingError, match="chmod 600"):
        KeyRing.read(tmp_path)


def test_other_files_are_refused_by_name(tmp_path):
    rsa = generate_private_key(65_537, 2048)
    for name, content in (
        ("a.pem", b"nonsense"),
        ("a.pem", private_pem(rsa)),
        ("a.pub.pem", b"nonsense"),
        ("a.pub.pem", public_pem(rsa)),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(KeyRingError, match=name):
            KeyRing.read(tmp_path)
        path.unlink()
