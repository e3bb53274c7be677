"""Known answers of RFC 3711 and RFC 7714, and agreement with libsrtp."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.relay.protection import (
    aead_protector,
    counter_mode_protector,
    derive,
    protector,
)
from media.transport.srtp import SrtpKeys, SrtpProfile, SrtpReceiver, SrtpSender

profiles = pytest.mark.parametrize("profile", list(SrtpProfile), ids=lambda p: p.name)


def test_key_derivation_of_rfc_3711_b3():
    key = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139")
    salt = bytes.fromhex("0EC675AD498AFEEBB6960B3AABE6")
    assert derive(key, salt, 0, 16) == bytes.fromhex("C61E7A93744F39EE10734AFE3FF7A087")
    assert derive(key, salt, 2, 14) == bytes.fromhex("30CBBC08863D8C85D49DB34A9AE1")
    assert derive(key, salt, 1, 94)[:32] == bytes.fromhex(
        "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCE"
    )


def test_counter_mode_key_stream_of_rfc_3711_b2():
    protect = counter_mode_protector(
        bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C"),
        bytes.fromhex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD"),
        bytes(20),
        ssrc=0,
    )
    assert protect(b"", bytes(48), 0)[:48] == bytes.fromhex(
        "E03EAD0935C95E80E166B16DD92B4EB4"
        "D23513162B02D0F72A43A2FE4A5F97AB"
        "41E95B3BB0A2E8DD477901E4FCA894C0"
    )


GCM_PACKET = bytes.fromhex(
    "8040f17b8041f8d35501a0b2"
    "47616c6c696120657374206f6d6e697320646976697361"
    "20696e207061727465732074726573"
)
GCM_SALT = bytes.fromhex("517569642070726f2071756f")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (
            bytes(range(16)),
            "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833"
            "899d7f27beb16a9152cf765ee4390cce",
        ),
        (
            bytes(range(32)),
            "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b"
            "7aa3db36dfffd6b0f9bb7878d7a76c13",
        ),
    ],
    ids=["16.1.1 AES-128", "16.2.1 AES-256"],
)
def test_gcm_of_rfc_7714_section_16(key, expected):
    header, payload = GCM_PACKET[:12], GCM_PACKET[12:]
    protect = aead_protector(key, GCM_SALT, ssrc=0x5501A0B2)
    assert protect(header, payload, 0xF17B) == header + bytes.fromhex(expected)


def keys_of(profile):
    size = profile.key_bytes + profile.salt_bytes
    return SrtpKeys(profile, bytes(range(size)), bytes(range(100, 100 + size)))


def header_of(index, ssrc):
    return struct.pack("!BBHII", 0x80, 96, index & 0xFFFF, index, ssrc)


@profiles
def test_it_makes_what_libsrtp_makes(profile):
    keys, ssrc = keys_of(profile), 0xCAFEBABE
    libsrtp, protect = SrtpSender(keys), protector(keys, ssrc)
    for index in range(1_000, 80_000, 997):
        header, payload = header_of(index, ssrc), bytes(index % 97)
        assert protect(header, payload, index) == libsrtp.protect(header + payload)


@profiles
def test_libsrtp_follows_over_the_rollover(profile):
    keys, ssrc = keys_of(profile), 5
    receiver = SrtpReceiver(SrtpKeys(profile, keys.remote, keys.local))
    protect = protector(keys, ssrc)
    for index in range(65_000, 66_500, 7):
        header, payload = header_of(index, ssrc), b"payload %d" % index
        assert receiver.unprotect(protect(header, payload, index)) == header + payload


@given(
    st.sampled_from(SrtpProfile),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**48 - 1),
    st.binary(max_size=1500),
)
def test_the_same_packet_is_the_same_bytes_again(profile, ssrc, index, payload):
    protect = protector(keys_of(profile), ssrc)
    header = header_of(index & 0xFFFFFFFF, ssrc)
    once = protect(header, payload, index)
    protect(header, b"other", index ^ 1)
    assert protect(header, payload, index) == once
