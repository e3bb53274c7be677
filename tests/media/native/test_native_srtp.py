"""Native SRTP: known answers of RFC 3711 and RFC 7714, and libsrtp on the other side."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.relay.protection import derive, protector
from media.transport.srtp import SrtpKeys, SrtpProfile, SrtpReceiver, SrtpSender
from tests.support.native import require_native

require_native()

from media._native import Srtp  # noqa: E402

NUMBER = {profile: number for number, profile in enumerate(SrtpProfile)}
profiles = pytest.mark.parametrize("profile", list(SrtpProfile), ids=lambda p: p.name)
any_profile = st.sampled_from(SrtpProfile)


def keys_of(profile):
    size = profile.key_bytes + profile.salt_bytes
    return SrtpKeys(profile, bytes(range(size)), bytes(range(100, 100 + size)))


def ours(keys):
    return Srtp(NUMBER[keys.profile], keys.local, keys.remote)


def turned(keys):
    return SrtpKeys(keys.profile, keys.remote, keys.local)


def header_of(sequence, ssrc, timestamp=0):
    return struct.pack("!BBHII", 0x80, 96, sequence & 0xFFFF, timestamp, ssrc)


def taken(unprotect, packet):
    """What came of a packet: the plain one, or None."""
    try:
        return unprotect(packet)
    except ValueError:
        return None


# ---- known answers ----


def test_key_derivation_of_rfc_3711_b3():
    key = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139")
    salt = bytes.fromhex("0EC675AD498AFEEBB6960B3AABE6")
    assert Srtp.derive(key, salt, 0, 16).hex() == "c61e7a93744f39ee10734afe3ff7a087"
    assert Srtp.derive(key, salt, 2, 14).hex() == "30cbbc08863d8c85d49db34a9ae1"
    assert Srtp.derive(key, salt, 1, 94).hex() == (
        "cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbce"
        "e049646c43d9327ad175578ef72270986371c10c9a369ac2f94a8c5fbcdddc25"
        "6d6e919a48b610ef17c2041e474035766b68642c59bbfc2f34db60dbdfb2"
    )


def test_counter_mode_key_stream_of_rfc_3711_b2():
    srtp = Srtp.derived(
        NUMBER[SrtpProfile.AES128_CM_SHA1_80],
        bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C"),
        bytes.fromhex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD"),
        bytes(20),
    )
    blocks = srtp.protect(header_of(0, ssrc=0), bytes(0xFF03 * 16)[: 65_535 - 12], 0)[12:]
    assert blocks[:48].hex() == (
        "e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab"
        "41e95b3bb0a2e8dd477901e4fca894c0"
    )


QUID = bytes.fromhex("517569642070726f2071756f")
GALLIA = bytes.fromhex(
    "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e697320646976697361"
    "20696e207061727465732074726573"
)
MARS = bytes.fromhex(
    "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61"
    "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef"
)
GCM_ANSWERS = {
    SrtpProfile.AEAD_AES_128_GCM: (
        "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833"
        "899d7f27beb16a9152cf765ee4390cce",
        "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda"
        "4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4",
    ),
    SrtpProfile.AEAD_AES_256_GCM: (
        "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b"
        "7aa3db36dfffd6b0f9bb7878d7a76c13",
        "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be"
        "8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4",
    ),
}
gcm = pytest.mark.parametrize("profile", GCM_ANSWERS, ids=lambda p: p.name)


def quid_pro_quo(profile, *, by_openssl=False):
    key = bytes(range(profile.key_bytes))
    return Srtp.derived(NUMBER[profile], key, QUID, bytes(20), by_openssl)


@gcm
@pytest.mark.parametrize("by_openssl", [False, True])
def test_gcm_of_rfc_7714_section_16(profile, by_openssl):
    expected = GALLIA[:12] + bytes.fromhex(GCM_ANSWERS[profile][0])
    srtp = quid_pro_quo(profile, by_openssl=by_openssl)
    assert srtp.protect(GALLIA[:12], GALLIA[12:], 0xF17B) == expected
    assert srtp.unprotect(expected) == GALLIA


@gcm
def test_gcm_of_rfc_7714_section_17(profile):
    srtp, expected = quid_pro_quo(profile), bytes.fromhex(GCM_ANSWERS[profile][1])
    for _ in range(0x5D3):
        srtp.protect_rtcp(MARS)
    assert srtp.protect_rtcp(MARS) == expected
    assert srtp.unprotect_rtcp(expected) == MARS


# ---- libsrtp and the Python version ----


@given(any_profile, st.integers(0, 2**32 - 1), st.integers(0, 2**48 - 1), st.binary(max_size=1500))
def test_it_protects_as_the_python_version_does(profile, ssrc, index, payload):
    keys, header = keys_of(profile), header_of(index, ssrc)
    expected = protector(keys, ssrc)(header, payload, index)
    assert ours(keys).protect(header, payload, index) == expected


sizes = st.one_of(
    st.integers(0, 300), st.integers(0, 80).map(lambda n: 16 * n), st.integers(0, 65_000)
)


@settings(max_examples=300, deadline=None)
@given(any_profile, st.integers(0, 130), sizes, st.integers(0, 255))
def test_sizes_of_every_shape(profile, extension, size, fill):
    """Vectors, strides and their rests, beside headers that are more than one block."""
    keys = keys_of(profile)
    header = header_of(1, 7) + bytes(n * fill % 256 for n in range(4 * extension))
    payload = (bytes(range(256)) * 255)[fill : fill + size]
    expected = protector(keys, 7)(header, payload, 1)
    assert ours(keys).protect(header, payload, 1) == expected


@settings(deadline=None)
@given(
    st.sampled_from(list(GCM_ANSWERS)),
    st.binary(min_size=32, max_size=32),
    sizes,
    st.integers(0, 2**48 - 1),
)
def test_openssl_seals_the_same(profile, key, size, index):
    arguments = NUMBER[profile], key[: profile.key_bytes], QUID, bytes(20)
    header, payload = header_of(index, 7), key * 2100
    packets = [
        Srtp.derived(*arguments, by_openssl).protect(header, payload[:size], index)
        for by_openssl in (False, True)
    ]
    assert packets[0] == packets[1]


@given(any_profile, st.integers(0, 255), st.integers(0, 60))
def test_it_derives_as_the_python_version_does(profile, label, size):
    keys = keys_of(profile)
    parts = keys.local[: profile.key_bytes], keys.local[profile.key_bytes :]
    assert Srtp.derive(*parts, label, size + 1) == derive(*parts, label, size + 1)


@profiles
def test_libsrtp_reads_it_over_the_rollover(profile):
    keys = keys_of(profile)
    srtp, receiver = ours(keys), SrtpReceiver(turned(keys))
    for index in range(65_000, 66_500, 7):
        header, payload = header_of(index, 5), b"payload %d" % index
        assert receiver.unprotect(srtp.protect(header, payload, index)) == header + payload


@profiles
def test_rtcp_is_libsrtp_s_both_ways(profile):
    keys = keys_of(profile)
    srtp, sender, receiver = ours(keys), SrtpSender(keys), SrtpReceiver(turned(keys))
    reader = ours(turned(keys))
    for number in range(1, 60):
        packet = struct.pack("!BBHI", 0x80, 200, number - 1, 7) + bytes(4 * number - 4)
        protected = srtp.protect_rtcp(packet)
        assert protected == sender.protect_rtcp(packet)
        assert receiver.unprotect_rtcp(protected) == packet
        assert reader.unprotect_rtcp(protected) == packet
        with pytest.raises(ValueError, match="replayed"):
            reader.unprotect_rtcp(protected)


@st.composite
def rtp_headers(draw, sequence, ssrc):
    """A header with CSRCs and an extension; padding is the payload's matter."""
    csrcs, words = draw(st.integers(0, 3)), draw(st.one_of(st.none(), st.integers(0, 4)))
    first = 0x80 | csrcs | (0x10 if words is not None else 0)
    header = struct.pack("!BBHII", first, 96, sequence & 0xFFFF, 1, ssrc) + bytes(4 * csrcs)
    if words is not None:
        header += struct.pack("!HH", 0xBEDE, words) + bytes(4 * words)
    return header


@settings(max_examples=200, deadline=None)
@given(st.data(), any_profile, st.sampled_from([0, 5, 30_000, 33_000, 65_500, 200_000]))
def test_it_takes_what_libsrtp_takes(data, profile, start):
    """Jumps, repetitions, forgeries and cuts, on several SSRCs: one outcome on both."""
    keys = keys_of(profile)
    theirs, mine, sender = SrtpReceiver(turned(keys)), ours(turned(keys)), ours(keys)
    at = {1: start, 2: start}
    for _ in range(data.draw(st.integers(1, 12))):
        ssrc = data.draw(st.sampled_from([1, 2]))
        step = data.draw(st.sampled_from([1, 1, 0, -1, -1023, -1024, -1025, 1, 700, 20_000]))
        index = at[ssrc] = max(0, at[ssrc] + step)
        header = data.draw(rtp_headers(index, ssrc))
        packet = bytearray(sender.protect(header, data.draw(st.binary(max_size=40)), index))
        spoilt = data.draw(st.sampled_from(["", "", "", "flip", "cut"]))
        if spoilt == "flip":
            packet[data.draw(st.integers(2, len(packet) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        elif spoilt == "cut":
            del packet[data.draw(st.integers(0, len(packet) - 1)) :]
        packet = bytes(packet)
        assert taken(mine.unprotect, packet) == theirs.unprotect(packet)


@settings(max_examples=100, deadline=None)
@given(st.data(), any_profile)
def test_it_takes_rtcp_as_libsrtp_does(data, profile):
    keys = keys_of(profile)
    theirs, mine, sender = SrtpReceiver(turned(keys)), ours(turned(keys)), ours(keys)
    made = []
    for _ in range(20):
        packet = struct.pack("!BBHI", 0x81, 201, 7, data.draw(st.integers(1, 2))) + bytes(24)
        made.append(sender.protect_rtcp(packet))
    for number in data.draw(st.lists(st.integers(0, 19), max_size=30)):
        packet = bytearray(made[number])
        if data.draw(st.integers(0, 3)) == 0:
            packet[data.draw(st.integers(4, len(packet) - 1))] ^= 0x80
        packet = bytes(packet)
        # libsrtp's SRTCP window has 128 packets; both hold these.
        assert taken(mine.unprotect_rtcp, packet) == theirs.unprotect_rtcp(packet)


# ---- refusals ----


@profiles
def test_a_refusal_has_its_name_and_changes_nothing(profile):
    keys = keys_of(profile)
    sender, receiver = ours(keys), ours(turned(keys))
    good = sender.protect(header_of(9, 1), b"payload", 9)
    forged = good[:-1] + bytes([good[-1] ^ 1])
    refused = {
        "forged": [forged, good[:20] + b"\0" + good[21:]],
        "malformed": [b"", b"\x80", good[:12], b"\x40" + good[1:], b"\x8f" + good[1:20]],
    }
    for reason, packets in refused.items():
        for packet in packets:
            with pytest.raises(ValueError, match=reason):
                receiver.unprotect(packet)
    assert receiver.unprotect(good)[12:] == b"payload"
    with pytest.raises(ValueError, match="replayed"):
        receiver.unprotect(good)


@profiles
def test_a_window_of_1024_packets(profile):
    keys = keys_of(profile)
    sender, receiver = ours(keys), ours(turned(keys))
    packets = {n: sender.protect(header_of(n, 1), b"", n) for n in (0, 1, 2, 1024)}
    receiver.unprotect(packets[1024])
    with pytest.raises(ValueError, match="replayed"):
        receiver.unprotect(packets[0])
    assert receiver.unprotect(packets[1])
    assert receiver.unprotect(packets[2])


@profiles
def test_ssrcs_are_bounded_and_forgeries_take_no_place(profile):
    keys = keys_of(profile)
    sender, receiver = ours(keys), ours(turned(keys))
    packets = [sender.protect(header_of(1, ssrc), b"x", 1) for ssrc in range(33)]
    for packet in packets:
        with pytest.raises(ValueError, match="forged"):
            receiver.unprotect(packet[:-1] + bytes([packet[-1] ^ 1]))
    for packet in packets[:32]:
        assert receiver.unprotect(packet)
    with pytest.raises(ValueError, match="too many SSRCs"):
        receiver.unprotect(packets[32])
    assert receiver.unprotect(sender.protect(header_of(2, 0), b"y", 2))


def test_rtcp_that_is_not_encrypted_is_refused():
    srtp = quid_pro_quo(SrtpProfile.AEAD_AES_128_GCM)
    tagged = MARS + bytes.fromhex("841dd9683dd78ec92ae58790125f62b3000005d4")  # RFC 7714 §17.3
    with pytest.raises(ValueError, match="malformed"):
        srtp.unprotect_rtcp(tagged)


@profiles
@given(noise=st.binary(max_size=120), rtcp=st.booleans())
def test_noise_is_refused(profile, noise, rtcp):
    srtp = ours(keys_of(profile))
    packet = b"\x80" + noise
    assert taken(srtp.unprotect_rtcp if rtcp else srtp.unprotect, packet) is None


def test_arguments_that_make_no_sense():
    srtp = ours(keys_of(SrtpProfile.AEAD_AES_128_GCM))
    for call in (
        lambda: Srtp(3, b"", b""),
        lambda: Srtp(-1, b"", b""),
        lambda: Srtp(0, bytes(27), bytes(28)),
        lambda: Srtp(0, "text", bytes(28)),
        lambda: Srtp.derived(0, bytes(16), bytes(14), bytes(20)),
        lambda: Srtp.derive(bytes(15), bytes(14), 0, 16),
        lambda: Srtp.derive(bytes(16), bytes(15), 0, 16),
        lambda: Srtp.derive(bytes(16), bytes(14), 256, 16),
        lambda: Srtp.derive(bytes(16), bytes(14), 0, 0),
        lambda: srtp.protect(bytes(11), b"", 0),
        lambda: srtp.protect(bytes(12), bytes(65_524), 0),
        lambda: srtp.protect(bytes(12), b"", 2**48),
        lambda: srtp.protect(bytes(12), b"", -1),
        lambda: srtp.protect_rtcp(bytes(7)),
        lambda: srtp.protect_rtcp(bytes(70_000)),
        lambda: srtp.unprotect(bytes(70_000)),
        lambda: srtp.unprotect(None),
    ):
        with pytest.raises((TypeError, ValueError)):
            call()
