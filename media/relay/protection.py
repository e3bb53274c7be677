"""SRTP towards viewers (RFC 3711, RFC 7714): one function a track that encrypts a packet.

The index of a packet (its extended sequence number, 48 bits) is an argument, so nothing is
remembered between packets: the same header, payload and index give the same bytes however late
they are asked for again. Who calls must never give one index to two different packets.

This is the specification of what a native sender does, and the fallback where there is none.
libsrtp does the same with twice the work a packet when it is called from Python.
"""

import hmac
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from media.transport.srtp import SrtpKeys, SrtpProfile

Protect = Callable[[bytes, bytes, int], bytes]
"""(header, payload, index) to the SRTP packet."""

_LABEL_ENCRYPTION: Final = 0
_LABEL_AUTHENTICATION: Final = 1
_LABEL_SALT: Final = 2
_HMAC_SHA1_KEY_SIZE: Final = 20
_HMAC_SHA1_80_TAG_SIZE: Final = 10


def protector(keys: SrtpKeys, ssrc: int) -> Protect:
    """The function that protects packets of `ssrc` with the local keys."""
    profile = keys.profile
    master_key, master_salt = keys.local[: profile.key_bytes], keys.local[profile.key_bytes :]
    key = derive(master_key, master_salt, _LABEL_ENCRYPTION, profile.key_bytes)
    salt = derive(master_key, master_salt, _LABEL_SALT, profile.salt_bytes)
    if profile is not SrtpProfile.AES128_CM_SHA1_80:
        return aead_protector(key, salt, ssrc)
    authentication_key = derive(master_key, master_salt, _LABEL_AUTHENTICATION, _HMAC_SHA1_KEY_SIZE)
    return counter_mode_protector(key, salt, authentication_key, ssrc)


def derive(master_key: bytes, master_salt: bytes, label: int, size: int) -> bytes:
    """RFC 3711 §4.3.3: a session key from the master key, at a key derivation rate of zero.

    RFC 7714 §11: the shorter salt of GCM is padded with zeros on its right.
    """
    salt = int.from_bytes(master_salt.ljust(14, b"\0"), "big")
    counter = (salt ^ label << 48) << 16
    stream = Cipher(algorithms.AES(master_key), modes.CTR(counter.to_bytes(16, "big")))
    return stream.encryptor().update(bytes(size))


def aead_protector(key: bytes, salt: bytes, ssrc: int) -> Protect:
    """RFC 7714 §8 and §9 with session keys: AES-GCM, the header authenticated beside it."""
    encrypt = AESGCM(key).encrypt
    iv = int.from_bytes(salt, "big") ^ ssrc << 48

    def protect(header: bytes, payload: bytes, index: int) -> bytes:
        return header + encrypt((iv ^ index).to_bytes(12, "big"), payload, header)

    return protect


def counter_mode_protector(key: bytes, salt: bytes, mac_key: bytes, ssrc: int) -> Protect:
    """RFC 3711 §4.1.1 and §4.2.1 with session keys: AES counter mode, then HMAC-SHA1."""
    iv = int.from_bytes(salt, "big") << 16 ^ ssrc << 64
    stream = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
    keyed_mac = hmac.new(mac_key, digestmod="sha1")

    def protect(header: bytes, payload: bytes, index: int) -> bytes:
        stream.reset_nonce((iv ^ index << 16).to_bytes(16, "big"))
        packet = header + stream.update(payload)
        mac = keyed_mac.copy()
        mac.update(packet)
        mac.update((index >> 16).to_bytes(4, "big"))  # the rollover counter
        return packet + mac.digest()[:_HMAC_SHA1_80_TAG_SIZE]

    return protect
