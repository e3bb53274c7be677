from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from media.transport.certificate import DtlsCertificate, fingerprint

NOW = datetime(2026, 1, 31, tzinfo=UTC)


def test_a_fresh_certificate() -> None:
    made = DtlsCertificate.generate(NOW)
    assert isinstance(made.key.curve, ec.SECP256R1)
    assert made.certificate.not_valid_before_utc == NOW - timedelta(days=1)
    assert made.certificate.not_valid_after_utc > NOW + timedelta(days=300)
    made.certificate.verify_directly_issued_by(made.certificate)


def test_no_two_are_alike() -> None:
    assert DtlsCertificate.generate(NOW).fingerprint != DtlsCertificate.generate(NOW).fingerprint


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [("sha-256", hashes.SHA256()), ("sha-384", hashes.SHA384()), ("sha-512", hashes.SHA512())],
)
def test_fingerprints(name: str, algorithm: hashes.HashAlgorithm) -> None:
    certificate = DtlsCertificate.generate(NOW).certificate
    assert fingerprint(certificate, name).digest == certificate.fingerprint(algorithm)
