"""The worker's DTLS identity: a self-signed certificate that lives as long as the process.

Peers know it by its fingerprint in the SDP answer (RFC 8122), so nobody has to sign it.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from media.wire.offer import Fingerprint

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_LIFE = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class DtlsCertificate:
    """A private key and its certificate."""

    key: Key
    certificate: x509.Certificate

    @classmethod
    def generate(cls, now: datetime) -> Self:
        """A new ECDSA P-256 key (RFC 8827 §6.5), its certificate valid from a day before `now`."""
        return cls.sign(ec.generate_private_key(ec.SECP256R1()), now)

    @classmethod
    def sign(cls, key: Key, now: datetime) -> Self:
        """A certificate for this key, signed by itself."""
        # RFC 8827 §6.5: nothing in it may tell who the server is.
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "WebRTC")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + _LIFE)
            .sign(key, hashes.SHA256())
        )
        return cls(key, certificate)

    @property
    def fingerprint(self) -> Fingerprint:
        """What the SDP answer says of it."""
        return fingerprint(self.certificate, "sha-256")


def fingerprint(certificate: x509.Certificate, algorithm: str) -> Fingerprint:
    """The certificate's hash; `algorithm` by its name in SDP, such as `sha-256`."""
    der = certificate.public_bytes(Encoding.DER)
    return Fingerprint(algorithm, hashlib.new(algorithm.replace("-", ""), der).digest())
