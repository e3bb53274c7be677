"""SRTP keys and contexts (RFC 3711, RFC 7714), over libsrtp. The only importer of pylibsrtp.

The key types are plain values: a relay's fan-out takes them and may encrypt by other means.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Self

from pylibsrtp import Error, Policy, Session

# Far more than an honest peer has (audio, video, RTX of each, three layers), so that a peer which
# changes its SSRC with every packet can't make libsrtp keep a context for each.
MAX_SSRCS = 32

_REPLAY_WINDOW = 1024


class SrtpProfile(Enum):
    """A protection profile of DTLS-SRTP; the order is the server's preference (RFC 7714 §14.2)."""

    AEAD_AES_128_GCM = ("SRTP_AEAD_AES_128_GCM", 16, 12, Policy.SRTP_PROFILE_AEAD_AES_128_GCM)
    AEAD_AES_256_GCM = ("SRTP_AEAD_AES_256_GCM", 32, 12, Policy.SRTP_PROFILE_AEAD_AES_256_GCM)
    AES128_CM_SHA1_80 = ("SRTP_AES128_CM_SHA1_80", 16, 14, Policy.SRTP_PROFILE_AES128_CM_SHA1_80)

    def __init__(self, openssl_name: str, key_bytes: int, salt_bytes: int, libsrtp: int) -> None:
        self.openssl_name = openssl_name
        self.key_bytes = key_bytes
        self.salt_bytes = salt_bytes
        self.libsrtp = libsrtp

    @property
    def material_bytes(self) -> int:
        """How much keying material both directions need together (RFC 5764 §4.2)."""
        return 2 * (self.key_bytes + self.salt_bytes)


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """Master keys of one peer: each is the master key followed by the master salt."""

    profile: SrtpProfile
    local: bytes = field(repr=False)
    """Protects what we send."""
    remote: bytes = field(repr=False)
    """Protects what the peer sends."""

    @classmethod
    def from_exporter(cls, profile: SrtpProfile, material: bytes, *, is_client: bool) -> Self:
        """Split what the DTLS exporter gave: client key, server key, client salt, server salt."""
        if len(material) != profile.material_bytes:
            raise ValueError(f"{profile.name} needs {profile.material_bytes} bytes of material")
        keys, salts = material[: 2 * profile.key_bytes], material[2 * profile.key_bytes :]
        client = keys[: profile.key_bytes] + salts[: profile.salt_bytes]
        server = keys[profile.key_bytes :] + salts[profile.salt_bytes :]
        return cls(profile, client, server) if is_client else cls(profile, server, client)


def _policy(profile: SrtpProfile, key: bytes, direction: int) -> Policy:
    policy = Policy(key=key, ssrc_type=direction, srtp_profile=profile.libsrtp)
    policy.window_size = _REPLAY_WINDOW
    return policy


class SrtpSender:
    """Encrypts RTP and RTCP towards one peer; the same packet may be sent again as it was."""

    def __init__(self, keys: SrtpKeys) -> None:
        policy = _policy(keys.profile, keys.local, Policy.SSRC_ANY_OUTBOUND)
        policy.allow_repeat_tx = True
        self._session = Session(policy)

    def protect(self, packet: bytes) -> bytes:
        """The SRTP packet of an RTP packet.

        Raises ValueError where it is longer than an Ethernet frame.
        """
        return bytes(self._session.protect(packet))

    def protect_rtcp(self, packet: bytes) -> bytes:
        """The SRTCP packet of a (compound) RTCP packet.

        Raises ValueError where it is longer than an Ethernet frame.
        """
        return bytes(self._session.protect_rtcp(packet))


class SrtpReceiver:
    """Decrypts what one peer sends; gives None for what is forged, replayed or malformed."""

    def __init__(self, keys: SrtpKeys) -> None:
        self._session = Session(_policy(keys.profile, keys.remote, Policy.SSRC_ANY_INBOUND))
        self._ssrcs: set[bytes] = set()

    def unprotect(self, packet: bytes) -> bytes | None:
        """The RTP packet of an SRTP packet, or None."""
        ssrc = packet[8:12]
        if ssrc not in self._ssrcs and len(self._ssrcs) >= MAX_SSRCS:
            return None
        try:
            plain = bytes(self._session.unprotect(packet))
        except (Error, ValueError):
            return None
        self._ssrcs.add(ssrc)
        return plain

    def unprotect_rtcp(self, packet: bytes) -> bytes | None:
        """The RTCP packet of an SRTCP packet, or None."""
        ssrc = packet[4:8]
        if ssrc not in self._ssrcs and len(self._ssrcs) >= MAX_SSRCS:
            return None
        try:
            plain = bytes(self._session.unprotect_rtcp(packet))
        except (Error, ValueError):
            return None
        self._ssrcs.add(ssrc)
        return plain
