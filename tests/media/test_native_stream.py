"""What of a stream's values the native side is given."""

from dataclasses import replace

import pytest

from media.relay.tracks import TrackSpec
from media.session import Role
from media.transport.srtp import SrtpKeys, SrtpProfile
from media.wire.extensions import Extension
from tests.support.native import require_native

require_native()
from media.native_stream import native_peer, native_spec  # noqa: E402

VIDEO = TrackSpec("video", "vp8", 96, 0xB0, 97, 0xC0, 90_000, "1")


def test_a_track_is_a_tuple_of_numbers():
    assert native_spec(VIDEO) == (1, "vp8", 96, 0xB0, 97, 90_000, ())
    named = replace(
        VIDEO, ssrc=None, rtx_payload_type=None, extensions=((3, Extension.VIDEO_ORIENTATION),)
    )
    number = Extension.VIDEO_ORIENTATION.number
    assert native_spec(named) == (1, "vp8", 96, None, None, 90_000, ((3, number),))


@pytest.mark.parametrize("profile", SrtpProfile)
def test_a_peer_was_never_heard(profile):
    size = profile.key_bytes + profile.salt_bytes
    peer = native_peer(7, SrtpKeys(profile, bytes(size), bytes(size)), Role.VIEWER)
    assert peer.heard_at == float("-inf")


def test_keys_of_another_size_are_refused():
    with pytest.raises(ValueError, match="bytes of key"):
        native_peer(7, SrtpKeys(SrtpProfile.AEAD_AES_128_GCM, bytes(27), bytes(28)), Role.VIEWER)
