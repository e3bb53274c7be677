"""STUN as an ICE-lite agent needs it (RFC 8489, RFC 8445 §7.3): binding requests, and answers.

A request is read in one pass and its FINGERPRINT checked, where it has one; whether its
MESSAGE-INTEGRITY is right is a question of its own, since the key depends on what was read.
Refusal:

StunError (ValueError)    bytes that are no STUN message, or less of one than they claim
"""

import hmac
import struct
from binascii import crc32
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import Final, NamedTuple

BINDING_REQUEST: Final = 0x0001
BINDING_SUCCESS: Final = 0x0101
BINDING_ERROR: Final = 0x0111

_MAGIC_COOKIE: Final = 0x2112A442
_HEADER = struct.Struct("!HHI12s")
_ATTRIBUTE = struct.Struct("!HH")
_HEADER_BYTES: Final = 20
_INTEGRITY_BYTES: Final = 24  # with its own header
_FINGERPRINT_BYTES: Final = 8
_FINGERPRINT_XOR: Final = 0x5354554E
_REQUEST_START: Final = BINDING_REQUEST.to_bytes(2, "big")
_COOKIE_BYTES: Final = _MAGIC_COOKIE.to_bytes(4, "big")

_USERNAME: Final = 0x0006
_MESSAGE_INTEGRITY: Final = 0x0008
_ERROR_CODE: Final = 0x0009
_XOR_MAPPED_ADDRESS: Final = 0x0020
_USE_CANDIDATE: Final = 0x0025
_FINGERPRINT: Final = 0x8028
_ICE_CONTROLLED: Final = 0x8029
_READ: Final = frozenset({_USERNAME, _MESSAGE_INTEGRITY, _USE_CANDIDATE, _ICE_CONTROLLED})


class StunError(ValueError):
    """Not a STUN message."""


class BindingRequest(NamedTuple):
    """A request, its authentic part being `datagram[:signed_bytes]` if the integrity is right.

    `user_name` is empty where there is none, `integrity` None likewise.
    """

    datagram: bytes
    transaction_id: bytes
    user_name: str
    use_candidate: bool
    is_controlled: bool
    integrity: bytes | None
    signed_bytes: int

    def is_signed_with(self, password: bytes) -> bool:
        """Whether its MESSAGE-INTEGRITY is that of this password, in constant time."""
        if self.integrity is None:
            return False
        expected = _integrity(self.datagram[: self.signed_bytes], password)
        return hmac.compare_digest(self.integrity, expected)


def is_binding_request(datagram: bytes) -> bool:
    """Whether the datagram claims to be a binding request of RFC 5389 or later."""
    return datagram.startswith(_REQUEST_START) and datagram[4:8] == _COOKIE_BYTES


def parse_binding_request(datagram: bytes) -> BindingRequest:
    """Read a binding request. Raises StunError."""
    size = len(datagram)
    # RFC 8489 §5: attributes are padded, so the last two bits of the length are always zero.
    if size < _HEADER_BYTES or size % 4 or not is_binding_request(datagram):
        raise StunError("no binding request")
    if int.from_bytes(datagram[2:4], "big") != size - _HEADER_BYTES:
        raise StunError("longer or shorter than it claims")
    found: dict[int, bytes] = {}
    signed_bytes, at = size, _HEADER_BYTES
    while at < size:
        kind, length = _ATTRIBUTE.unpack_from(datagram, at)
        value = datagram[at + 4 : at + 4 + length]
        if len(value) < length:
            raise StunError("an attribute is cut off")
        if kind == _FINGERPRINT:
            if value != _fingerprint(datagram[:at]):
                raise StunError("its fingerprint is wrong")
        # RFC 8489 §14: of repeated attributes the first counts; §14.5: what follows the integrity
        # is not authentic.
        elif kind in _READ and kind not in found and _MESSAGE_INTEGRITY not in found:
            found[kind] = value
            if kind == _MESSAGE_INTEGRITY:
                signed_bytes = at
        at += 4 + length + -length % 4
    try:
        user_name = found.get(_USERNAME, b"").decode()
    except UnicodeDecodeError as error:
        raise StunError("its user name is no UTF-8") from error
    return BindingRequest(
        datagram,
        datagram[8:20],
        user_name,
        _USE_CANDIDATE in found,
        _ICE_CONTROLLED in found,
        found.get(_MESSAGE_INTEGRITY),
        signed_bytes,
    )


def build_success(transaction_id: bytes, address: tuple[str, int], password: bytes) -> bytes:
    """The answer to a request that came from `address`, signed."""
    host = _packed(address[0])
    mask = _COOKIE_BYTES + transaction_id
    masked = int.from_bytes(host, "big") ^ int.from_bytes(mask[: len(host)], "big")
    family = 1 if len(host) == 4 else 2
    value = struct.pack("!BBH", 0, family, address[1] ^ _MAGIC_COOKIE >> 16)
    value += masked.to_bytes(len(host), "big")
    attributes = ((_XOR_MAPPED_ADDRESS, value),)
    return _build(BINDING_SUCCESS, transaction_id, attributes, password)


def build_error(
    transaction_id: bytes, code: int, reason: str, password: bytes | None = None
) -> bytes:
    """An error response, signed where there is a password to sign it with."""
    value = struct.pack("!HBB", 0, code // 100, code % 100) + reason.encode()
    return _build(BINDING_ERROR, transaction_id, ((_ERROR_CODE, value),), password)


def _build(
    message_type: int,
    transaction_id: bytes,
    attributes: Sequence[tuple[int, bytes]],
    password: bytes | None,
) -> bytes:
    body = b"".join(_attribute(kind, value) for kind, value in attributes)
    message = _HEADER.pack(message_type, len(body), _MAGIC_COOKIE, transaction_id) + body
    if password is not None:
        message += _attribute(_MESSAGE_INTEGRITY, _integrity(message, password))
    message += _attribute(_FINGERPRINT, _fingerprint(message))
    return _with_length(message, len(message) - _HEADER_BYTES)


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(kind, len(value)) + value + bytes(-len(value) % 4)


def _integrity(message: bytes, password: bytes) -> bytes:
    """RFC 8489 §14.5: the length counts up to the end of the attribute itself."""
    signed = _with_length(message, len(message) - _HEADER_BYTES + _INTEGRITY_BYTES)
    return hmac.digest(password, signed, "sha1")


def _fingerprint(message: bytes) -> bytes:
    """RFC 8489 §14.7, likewise."""
    covered = _with_length(message, len(message) - _HEADER_BYTES + _FINGERPRINT_BYTES)
    return (crc32(covered) ^ _FINGERPRINT_XOR).to_bytes(4, "big")


def _with_length(message: bytes, length: int) -> bytes:
    return message[:2] + length.to_bytes(2, "big") + message[4:]


@lru_cache(maxsize=4096)
def _packed(host: str) -> bytes:
    return ip_address(host).packed
