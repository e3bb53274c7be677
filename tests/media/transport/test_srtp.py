import struct

import pytest

from media.transport.srtp import MAX_SSRCS, SrtpKeys, SrtpProfile, SrtpReceiver, SrtpSender


def rtp(sequence: int, ssrc: int = 1, payload: bytes = b"frame") -> bytes:
    return struct.pack("!BBHII", 0x80, 96, sequence, 0, ssrc) + payload


def rtcp(ssrc: int = 1) -> bytes:
    return struct.pack("!BBHI", 0x80, 201, 1, ssrc)


def both_ends(profile: SrtpProfile) -> tuple[SrtpKeys, SrtpKeys]:
    material = bytes(range(profile.material_bytes))
    return (
        SrtpKeys.from_exporter(profile, material, is_client=True),
        SrtpKeys.from_exporter(profile, material, is_client=False),
    )


def test_the_exporter_is_split_as_rfc_5764_says() -> None:
    profile = SrtpProfile.AEAD_AES_128_GCM
    material = b"C" * 16 + b"S" * 16 + b"c" * 12 + b"s" * 12
    keys = SrtpKeys.from_exporter(profile, material, is_client=False)
    assert keys.local == b"S" * 16 + b"s" * 12
    assert keys.remote == b"C" * 16 + b"c" * 12
    with pytest.raises(ValueError):
        SrtpKeys.from_exporter(profile, material[1:], is_client=False)


def test_keys_are_not_printed() -> None:
    client, _ = both_ends(SrtpProfile.AES128_CM_SHA1_80)
    assert "\\x00" not in repr(client)


@pytest.mark.parametrize("profile", SrtpProfile)
def test_one_end_reads_what_the_other_wrote(profile: SrtpProfile) -> None:
    client, server = both_ends(profile)
    sender, receiver = SrtpSender(client), SrtpReceiver(server)
    sealed = sender.protect(rtp(7))
    assert sealed != rtp(7)
    assert receiver.unprotect(sealed) == rtp(7)
    assert receiver.unprotect_rtcp(sender.protect_rtcp(rtcp())) == rtcp()


def test_a_retransmission_is_the_identical_packet() -> None:
    client, _ = both_ends(SrtpProfile.AEAD_AES_128_GCM)
    sender = SrtpSender(client)
    first = sender.protect(rtp(1))
    sender.protect(rtp(2))
    assert sender.protect(rtp(1)) == first


def test_forged_replayed_and_malformed_packets_are_refused() -> None:
    client, server = both_ends(SrtpProfile.AEAD_AES_128_GCM)
    sender, receiver = SrtpSender(client), SrtpReceiver(server)
    sealed = sender.protect(rtp(1))
    assert receiver.unprotect(sealed[:-1] + bytes([sealed[-1] ^ 1])) is None
    assert receiver.unprotect(sealed) == rtp(1)
    assert receiver.unprotect(sealed) is None
    assert receiver.unprotect(b"") is None
    assert receiver.unprotect(bytes(65_535)) is None
    assert receiver.unprotect_rtcp(b"\x80\xc9") is None


def test_a_peer_has_a_bounded_number_of_ssrcs() -> None:
    client, server = both_ends(SrtpProfile.AEAD_AES_128_GCM)
    sender, receiver = SrtpSender(client), SrtpReceiver(server)
    opened = [receiver.unprotect(sender.protect(rtp(1, ssrc))) for ssrc in range(MAX_SSRCS + 5)]
    assert opened[:MAX_SSRCS] == [rtp(1, ssrc) for ssrc in range(MAX_SSRCS)]
    assert opened[MAX_SSRCS:] == [None] * 5
    assert receiver.unprotect(sender.protect(rtp(2, 0))) == rtp(2, 0)
    assert receiver.unprotect_rtcp(sender.protect_rtcp(rtcp(99))) is None
