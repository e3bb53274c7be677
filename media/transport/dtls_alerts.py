"""What is left of a DTLS association once its handshake is over: closing it (RFC 6347, RFC 5246).

WebRTC needs DTLS for keys; afterwards the only record that either side sends is the close_notify
alert. An OpenSSL association keeps some 80 KiB for that, these few keys keep less than one.
Only the AEAD suites that the server offers (RFC 5288, RFC 7905).
"""

import hmac
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

_ALERT: Final = 21
_DTLS_1_2: Final = b"\xfe\xfd"
_EPOCH: Final = 1  # the first that is encrypted; renegotiation is off, so also the last
_HEADER_BYTES: Final = 13
_ALERT_START: Final = bytes((_ALERT,)) + _DTLS_1_2 + _EPOCH.to_bytes(2, "big")
_CLOSE_NOTIFY: Final = b"\x01\x00"  # warning, close_notify

# Beyond every record of the handshake, and far from where numbers end: the number makes the nonce,
# so it must be a new one, and receivers take any that is ahead of their window.
_OWN_SEQUENCE: Final = 1 << 20


class Suite(NamedTuple):
    """What of a cipher suite decides how its records look."""

    key_bytes: int
    iv_bytes: int
    hash_name: str
    explicit_nonce: bool
    cipher: type[AESGCM] | type[ChaCha20Poly1305]


def suite_of(cipher_name: str) -> Suite:
    """The suite by OpenSSL's name for it. Raises KeyError for one that the server never offers."""
    return _SUITES[cipher_name.split("-", 2)[2]]


_SUITES: Final = {
    "AES128-GCM-SHA256": Suite(16, 4, "sha256", True, AESGCM),
    "AES256-GCM-SHA384": Suite(32, 4, "sha384", True, AESGCM),
    "CHACHA20-POLY1305": Suite(32, 12, "sha256", False, ChaCha20Poly1305),
}


class _Direction:
    """One direction's key and nonce."""

    def __init__(self, suite: Suite, key: bytes, iv: bytes) -> None:
        self._suite = suite
        self._cipher = suite.cipher(key)
        self._iv = iv

    def seal(self, number: bytes, content: bytes) -> bytes:
        """A record's body; `number` is its epoch and sequence number."""
        explicit = number if self._suite.explicit_nonce else b""
        sealed = self._cipher.encrypt(self._nonce(number), content, _aad(number, len(content)))
        return explicit + sealed

    def open(self, number: bytes, body: bytes) -> bytes | None:
        """The content of a record's body; None where the tag is not right."""
        explicit = body[:8] if self._suite.explicit_nonce else number
        sealed = body[8:] if self._suite.explicit_nonce else body
        size = len(sealed) - 16
        if size < 0 or len(explicit) < 8:
            return None
        try:
            return self._cipher.decrypt(self._nonce(explicit), sealed, _aad(number, size))
        except InvalidTag:
            return None

    def _nonce(self, number: bytes) -> bytes:
        if self._suite.explicit_nonce:  # RFC 5288 §3
            return self._iv + number
        mask = int.from_bytes(number, "big")  # RFC 7905 §2
        return (int.from_bytes(self._iv, "big") ^ mask).to_bytes(12, "big")


class AlertChannel:
    """Reads the peer's close_notify, and writes ours."""

    def __init__(
        self, suite: Suite, master_secret: bytes, randoms: tuple[bytes, bytes], *, is_client: bool
    ) -> None:
        """`randoms` are the client's and the server's; `is_client`: which of the two we are."""
        client, server = _directions(suite, master_secret, *randoms)
        self._outgoing, self._incoming = (client, server) if is_client else (server, client)

    def closes(self, datagram: bytes) -> bool:
        """Whether a datagram has an authentic alert that ends the association."""
        while len(datagram) >= _HEADER_BYTES:
            end = _HEADER_BYTES + int.from_bytes(datagram[11:13], "big")
            record, datagram = datagram[:end], datagram[end:]
            if not record.startswith(_ALERT_START) or len(record) < end:
                continue
            alert = self._incoming.open(record[3:11], record[_HEADER_BYTES:])
            # RFC 5246 §7.2: close_notify is the one, a fatal alert the other way to end it.
            if alert is not None and (alert == _CLOSE_NOTIFY or alert[:1] == b"\x02"):
                return True
        return False

    def close(self) -> bytes:
        """The record of our close_notify; to be called once."""
        number = (_EPOCH << 48 | _OWN_SEQUENCE).to_bytes(8, "big")
        body = self._outgoing.seal(number, _CLOSE_NOTIFY)
        return _ALERT_START[:3] + number + len(body).to_bytes(2, "big") + body


def _aad(number: bytes, size: int) -> bytes:
    """RFC 5246 §6.2.3.3: what is authenticated beside the content."""
    return number + bytes((_ALERT,)) + _DTLS_1_2 + size.to_bytes(2, "big")


def _directions(
    suite: Suite, master_secret: bytes, client_random: bytes, server_random: bytes
) -> tuple[_Direction, _Direction]:
    """RFC 5246 §6.3: the client's and the server's keys."""
    key, iv = suite.key_bytes, suite.iv_bytes
    seed = b"key expansion" + server_random + client_random
    block = _prf(master_secret, seed, 2 * (key + iv), suite.hash_name)
    ivs = block[2 * key :]
    return (
        _Direction(suite, block[:key], ivs[:iv]),
        _Direction(suite, block[key : 2 * key], ivs[iv:]),
    )


def _prf(secret: bytes, seed: bytes, size: int, hash_name: str) -> bytes:
    """RFC 5246 §5."""
    output, link = b"", seed
    while len(output) < size:
        link = hmac.digest(secret, link, hash_name)
        output += hmac.digest(secret, link + seed, hash_name)
    return output[:size]
