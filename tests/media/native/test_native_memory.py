"""What native code takes from the heap: bounded for a viewer, and given back."""

import ctypes
import gc

import pytest

from media.relay.tracks import RelayPacket, Viewer, ViewerTrack
from media.transport.srtp import SrtpKeys, SrtpProfile
from tests.support.native import require_native

require_native()

from media._native import Srtp  # noqa: E402
from media.relay.native_fanout import NativeFanout  # noqa: E402

LIMITS = {"cache_max_packets": 4096, "cache_max_bytes": 4 << 20, "cache_s": 1.5}
VIEWERS = 500


class Mallinfo2(ctypes.Structure):
    """glibc's, of which `uordblks` and `hblkhd` are the bytes in use."""

    _fields_ = [
        ("arena", ctypes.c_size_t),
        ("ordblks", ctypes.c_size_t),
        ("smblks", ctypes.c_size_t),
        ("hblks", ctypes.c_size_t),
        ("hblkhd", ctypes.c_size_t),
        ("usmblks", ctypes.c_size_t),
        ("fsmblks", ctypes.c_size_t),
        ("uordblks", ctypes.c_size_t),
        ("fordblks", ctypes.c_size_t),
        ("keepcost", ctypes.c_size_t),
    ]


def heap_bytes():
    """Bytes that malloc has given away; Python's small objects are not among them."""
    gc.collect()
    mallinfo2 = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if mallinfo2 is None:
        pytest.skip("this C library does not tell what is allocated")
    mallinfo2.restype = Mallinfo2
    told = mallinfo2()
    return told.uordblks + told.hblkhd


def keys_of(profile):
    size = profile.key_bytes + profile.salt_bytes
    return SrtpKeys(profile, bytes(size), bytes(size))


def viewers(profile):
    keys = keys_of(profile)
    return [
        Viewer(
            number,
            (ViewerTrack("video", 96, 2 * number), ViewerTrack("audio", 111, 2 * number + 1)),
            keys,
            ("127.0.0.1", 9),
        )
        for number in range(VIEWERS)
    ]


@pytest.mark.parametrize("profile", list(SrtpProfile), ids=lambda profile: profile.name)
def test_a_viewer_takes_16_kib_at_most_and_gives_all_back(profile):
    crowd = viewers(profile)
    fanout = NativeFanout(lambda *_: 0, **LIMITS)

    def come_and_go():
        for viewer in crowd:
            fanout.add_viewer(viewer)
        full = heap_bytes()
        for viewer in crowd:
            fanout.remove_viewer(viewer.viewer_id)
        return full

    come_and_go()
    empty = heap_bytes()
    assert (come_and_go() - empty) / VIEWERS <= 16 * 1024
    for _ in range(3):
        come_and_go()
    assert abs(heap_bytes() - empty) < VIEWERS * 64


def test_a_stream_takes_what_it_needs_and_gives_it_back():
    payload = bytes(1100)

    def stream():
        fanout = NativeFanout(lambda *_: 0, **LIMITS)
        for sequence in range(2_000):
            packet = RelayPacket("video", sequence, 0, False, False, payload)
            fanout.send([packet], sequence / 285)
        return fanout

    stream()
    before = heap_bytes()
    fanout = stream()
    # 1.5 s of 2.5 Mbit/s are 0.47 MB: a ring of 1 MiB, slots for every number, and the arena.
    assert heap_bytes() - before < 2 * 1024 * 1024
    del fanout
    assert abs(heap_bytes() - before) < 64 * 1024


def test_peers_that_come_and_go_leave_nothing():
    keys = keys_of(SrtpProfile.AEAD_AES_128_GCM)

    def peers():
        sender = Srtp(0, keys.local, keys.remote)
        receiver = Srtp(0, keys.remote, keys.local)
        for ssrc in range(20):
            header = b"\x80\x60\0\1\0\0\0\0" + ssrc.to_bytes(4, "big")
            receiver.unprotect(sender.protect(header, b"payload", 1))

    for _ in range(50):
        peers()
    before = heap_bytes()
    for _ in range(500):
        peers()
    assert abs(heap_bytes() - before) < 64 * 1024
