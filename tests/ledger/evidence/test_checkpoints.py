"""Checkpoints: what is signed, and that nothing in them can be changed."""

import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.evidence.checkpoints import (
    MalformedCheckpoints,
    export,
    key_id_of,
    read_export,
    sign,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEYS = {key_id_of(KEY.public_key()): KEY.public_key()}
AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
CHECKPOINT = sign(KEY, position=170, sequence=165, head=bytes([7]) * 32, at=AT)


def test_the_text_that_is_signed():
    assert CHECKPOINT.message().decode() == (
        "sociallive ledger checkpoint v1\n"
        "position 170\n"
        "sequence 165\n"
        f"hash {'07' * 32}\n"
        "signed_at 2026-01-31T12:00:00.000000Z\n"
        "key_id 56475aa75463474c\n"
    )
    assert CHECKPOINT.fault(KEYS) is None


def test_openssl_agrees(tmp_path):
    pem = KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for name, content in (
        ("key", pem),
        ("text", CHECKPOINT.message()),
        ("signature", CHECKPOINT.signature),
    ):
        (tmp_path / name).write_bytes(content)
    command = "openssl pkeyutl -verify -rawin -pubin -inkey key -in text -sigfile signature"
    subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)


@pytest.mark.parametrize(
    "change",
    [
        {"position": 171},
        {"sequence": 1},
        {"hash": bytes(32)},
        {"signed_at": AT + timedelta(microseconds=1)},
        {"signature": bytes(64)},
    ],
)
def test_a_change_is_seen(change):
    assert "is wrong" in replace(CHECKPOINT, **change).fault(KEYS)


def test_an_unknown_key_is_not_trusted():
    assert "not among" in CHECKPOINT.fault({})
    other = Ed25519PrivateKey.generate()
    forged = sign(other, position=170, sequence=165, head=bytes(32), at=AT)
    assert "not among" in forged.fault(KEYS)
    assert "is wrong" in replace(forged, key_id=CHECKPOINT.key_id).fault(KEYS)


def test_an_export_comes_back():
    elsewhere = AT.astimezone(timezone(timedelta(hours=3)))
    both = (CHECKPOINT, sign(KEY, position=2, sequence=2, head=bytes(32), at=elsewhere))
    checkpoints, keys = read_export(export(both, KEYS))
    assert [each.fault(keys) for each in checkpoints] == [None, None]
    assert [each.message() for each in checkpoints] == [each.message() for each in both]
    assert set(keys) == set(KEYS)


def document():
    return orjson.loads(export([CHECKPOINT], KEYS))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda doc: doc.update(format="x"),
        lambda doc: doc.pop("keys"),
        lambda doc: doc["keys"][0].update(ed25519="!!"),
        lambda doc: doc["keys"][0].update(ed25519="AAAA"),
        lambda doc: doc["checkpoints"][0].pop("hash"),
        lambda doc: doc["checkpoints"][0].update(hash="xyz"),
        lambda doc: doc["checkpoints"][0].update(position="1"),
        lambda doc: doc["checkpoints"][0].update(signed_at="2026-01-01T00:00:00"),
        lambda doc: doc["checkpoints"][0].update(signature="*"),
    ],
)
def test_a_spoilt_file_is_refused(spoil):
    spoilt = document()
    spoil(spoilt)
    with pytest.raises(MalformedCheckpoints):
        read_export(orjson.dumps(spoilt))


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b"null"])
def test_what_is_no_export_is_refused(content):
    with pytest.raises(MalformedCheckpoints):
        read_export(content)
