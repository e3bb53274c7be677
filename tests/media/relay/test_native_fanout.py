"""The native fan-out over real sockets, and what it does with arguments that make no sense.

That it does what the Python one does is held in tests/media/native/test_native_equality.py.
"""

import gc
import random
import socket
import threading
from dataclasses import replace

import pytest

from media.relay.fanout import Fanout
from media.relay.tracks import RelayPacket, Viewer, ViewerTrack
from media.transport.srtp import SrtpKeys, SrtpProfile, SrtpReceiver
from media.wire.extensions import Extension
from tests.support.native import require_native

require_native()

from media import _native  # noqa: E402
from media.relay.native_fanout import NativeFanout  # noqa: E402

LIMITS = {"cache_max_packets": 256, "cache_max_bytes": 100_000, "cache_s": 1.5}
PROFILE = SrtpProfile.AEAD_AES_128_GCM
KEYS = SrtpKeys(PROFILE, bytes(range(28)), bytes(range(50, 78)))


def viewer(number=1, address=("127.0.0.1", 9), **fields):
    track = ViewerTrack("video", 96, 1000 + number)
    return replace(Viewer(number, (track,), KEYS, address), **fields)


def video(sequence, *, keyframe=False, payload=b"payload"):
    return RelayPacket("video", sequence, sequence, False, keyframe, payload)


@pytest.fixture(params=["127.0.0.1", "::1"])
def sockets(request):
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with (
        socket.socket(family, socket.SOCK_DGRAM) as sending,
        socket.socket(family, socket.SOCK_DGRAM) as receiving,
    ):
        try:
            receiving.bind((request.param, 0))
        except OSError:
            pytest.skip("no IPv6 here")
        receiving.settimeout(5)
        sending.setblocking(False)
        yield sending, receiving


@pytest.mark.parametrize("segments", [True, False])
def test_packets_arrive_over_real_sockets(sockets, segments):
    sending, receiving = sockets
    fanout: Fanout = NativeFanout(sending, **LIMITS)
    fanout.segments = fanout.segments and segments
    fanout.add_viewer(viewer(address=receiving.getsockname()[:2]))
    payloads = [bytes([n]) * 1100 for n in range(10)] + [b"short", b""]
    fanout.send([video(n, keyframe=n == 0, payload=p) for n, p in enumerate(payloads)], 0.0)
    receiver = SrtpReceiver(SrtpKeys(PROFILE, KEYS.remote, KEYS.local))
    received = [receiver.unprotect(receiving.recv(2000)) for _ in payloads]
    assert [packet and packet[12:] for packet in received] == payloads
    assert fanout.counters.forwarded == len(payloads)
    assert fanout.sent(1) == [("video", 1001, 1001, 12, 11_005)]


def test_a_refusal_of_the_kernel_itself_is_counted():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fanout = NativeFanout(sock, **LIMITS)
        fanout.add_viewer(viewer(address=("::1", 9)))  # no way there from this socket
        fanout.send([video(0, keyframe=True), video(1)], 0.0)
    assert (fanout.counters.forwarded, fanout.counters.dropped, fanout.waiting) == (0, 2, 1)


def test_a_closed_socket_takes_nothing():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    fanout = NativeFanout(sock, **LIMITS)
    fanout.add_viewer(viewer())
    sock.close()
    fanout.send([video(0, keyframe=True)], 0.0)
    assert fanout.counters.dropped == 1


def test_viewers_come_and_go_in_any_order():
    fanout, order = NativeFanout(lambda *_: 0, **LIMITS), list(range(2000))
    for number in order:
        fanout.add_viewer(viewer(number))
    random.Random(5).shuffle(order)
    for number in order[:1500]:
        fanout.remove_viewer(number)
    assert fanout.waiting == 500
    fanout.send([video(0, keyframe=True)], 0.0)
    assert fanout.counters.forwarded == 500
    assert all(fanout.sent(number) for number in order[1500:])
    assert not any(fanout.sent(number) for number in order[:1500])


def test_a_second_thread_is_told_to_wait():
    asked, go_on, told = threading.Event(), threading.Event(), []

    def sender(*_):
        asked.set()
        go_on.wait(10)
        return 0

    fanout = NativeFanout(sender, **LIMITS)
    fanout.add_viewer(viewer())
    thread = threading.Thread(target=fanout.send, args=([video(0, keyframe=True)], 0.0))
    thread.start()
    assert asked.wait(10)
    for call in (
        lambda: fanout.add_viewer(viewer(2)),
        lambda: fanout.remove_viewer(1),
        lambda: fanout.send([video(1)], 0.0),
        lambda: fanout.resend(1, 1001, [1], 0.0),
        lambda: fanout.sent(1),
        lambda: fanout.pause(1),
        lambda: fanout.set_address(1, ("127.0.0.1", 1)),
    ):
        with pytest.raises(RuntimeError):
            call()
        told.append(True)
    go_on.set()
    thread.join(10)
    assert len(told) == 7
    assert fanout.counters.forwarded == 1


def test_what_the_sender_raises_is_raised():
    def sender(*_):
        raise LookupError("no way")

    fanout = NativeFanout(sender, **LIMITS)
    fanout.add_viewer(viewer())
    fanout.add_viewer(viewer(2))
    with pytest.raises(LookupError):
        fanout.send([video(0, keyframe=True)], 0.0)
    assert fanout.counters.dropped == 2
    vague = NativeFanout(lambda *_: "nonsense", **LIMITS)
    vague.add_viewer(viewer())
    with pytest.raises(TypeError):
        vague.send([video(0, keyframe=True)], 0.0)


def test_a_full_house_is_said():
    fanout = _native.Fanout(lambda *_: 0, **LIMITS, max_viewers=1)
    fanout.add_viewer(viewer())
    with pytest.raises(ValueError, match="as many"):
        fanout.add_viewer(viewer(2))
    with pytest.raises(ValueError, match="served already"):
        fanout.add_viewer(viewer())


TRACK = ViewerTrack("video", 96, 7)
NO_VIEWERS = [
    viewer(viewer_id=-1),
    viewer(viewer_id=2**64),
    viewer(viewer_id="1"),
    viewer(address=("localhost", 9)),
    viewer(address=("127.0.0.1", 65_536)),
    viewer(address="127.0.0.1"),
    viewer(keys=SrtpKeys(PROFILE, b"short", b"short")),
    viewer(keys=SrtpKeys(PROFILE, 5, 5)),
    viewer(keys=None),
    viewer(tracks=(TRACK, TRACK)),
    viewer(tracks=(TRACK, TRACK, TRACK)),
    viewer(tracks=5),
    viewer(tracks=(replace(TRACK, kind="data"),)),
    viewer(tracks=(replace(TRACK, payload_type=128),)),
    viewer(tracks=(replace(TRACK, ssrc=2**32),)),
    viewer(tracks=(replace(TRACK, rtx_ssrc=-1),)),
    viewer(tracks=(replace(TRACK, mid="m" * 33),)),
    viewer(tracks=(replace(TRACK, mid="\ud800"),)),
    viewer(tracks=(replace(TRACK, extensions=((Extension.MID, 0),)),)),
    viewer(tracks=(replace(TRACK, extensions=((Extension.MID, 256),)),)),
    viewer(tracks=(replace(TRACK, extensions=((Extension.MID, 1), (Extension.MID, 2))),)),
    viewer(tracks=(replace(TRACK, extensions=(("mid", 1),)),)),
    viewer(tracks=(replace(TRACK, extensions=(5,)),)),
    object(),
]


@pytest.mark.parametrize("nobody", NO_VIEWERS, ids=range(len(NO_VIEWERS)))
def test_what_is_no_viewer_is_refused(nobody):
    fanout = NativeFanout(lambda *_: 0, **LIMITS)
    with pytest.raises((TypeError, ValueError, OverflowError, AttributeError)):
        fanout.add_viewer(nobody)
    assert fanout.waiting == 0
    fanout.add_viewer(viewer())
    fanout.send([video(0, keyframe=True)], 0.0)
    assert fanout.counters.forwarded == 1


NINE = ((Extension.AUDIO_LEVEL, b"x"),) * 9
NO_PACKETS = [
    5,
    (),
    ("video", 1, 2),
    video(-1),
    video(2**60),
    video("1"),
    video(0)._replace(kind="data"),
    video(0)._replace(kind=None),
    video(0)._replace(timestamp=2**32),
    video(0)._replace(payload=bytearray(b"mutable")),
    video(0)._replace(payload=bytes(65_536)),
    video(0)._replace(extensions=NINE),
    video(0)._replace(extensions=None),
    video(0)._replace(extensions=((Extension.AUDIO_LEVEL, bytes(256)),)),
    video(0)._replace(extensions=((Extension.AUDIO_LEVEL, "text"),)),
    video(0)._replace(extensions=(("name", b""),)),
    video(0)._replace(extensions=(5,)),
]


@pytest.mark.parametrize("nothing", NO_PACKETS, ids=range(len(NO_PACKETS)))
def test_what_is_no_packet_is_refused_and_nothing_of_its_batch_is_sent(nothing):
    fanout = NativeFanout(lambda *_: 0, **LIMITS)
    fanout.add_viewer(viewer())
    with pytest.raises((TypeError, ValueError, OverflowError, AttributeError)):
        fanout.send([video(0, keyframe=True), nothing], 0.0)
    assert fanout.counters.forwarded == 0


@pytest.mark.parametrize("now", [float("nan"), float("inf"), 1e300, "now", None])
def test_what_is_no_moment_is_refused(now):
    fanout = NativeFanout(lambda *_: 0, **LIMITS)
    with pytest.raises((TypeError, ValueError)):
        fanout.send([], now)
    with pytest.raises((TypeError, ValueError)):
        fanout.resend(1, 1, [], now)


def test_other_arguments_that_make_no_sense():
    fanout = NativeFanout(lambda *_: 0, **LIMITS)
    for call in (
        lambda: fanout.resend(1, 2**32, [], 0.0),
        lambda: fanout.resend(1, 1, [65_536], 0.0),
        lambda: fanout.resend(1, 1, 5, 0.0),
        lambda: fanout.send(5, 0.0),
        lambda: fanout.remove_viewer("1"),
        lambda: fanout.set_address(1, ("127.0.0.1", -1)),
        lambda: _native.Fanout(lambda *_: 0),
        lambda: _native.Fanout(object(), **LIMITS),
        lambda: _native.Fanout(-5, **LIMITS),
        lambda: _native.Fanout(lambda *_: 0, **LIMITS | {"cache_max_packets": 0}),
        lambda: _native.Fanout(lambda *_: 0, **LIMITS | {"cache_max_bytes": 2**40}),
        lambda: _native.Fanout(lambda *_: 0, **LIMITS | {"cache_s": float("nan")}),
        lambda: delattr(fanout._native, "segments"),
    ):
        with pytest.raises((TypeError, ValueError, OverflowError, AttributeError)):
            call()


def test_fanouts_in_a_circle_are_collected():
    class Sender:
        def __call__(self, *_):
            return 0

    sender = Sender()
    sender.fanout = NativeFanout(sender, **LIMITS)
    sender.fanout.add_viewer(viewer())
    gc.collect()
    del sender
    assert gc.collect() > 0
