"""The native fan-out and the Python one are equal, byte for byte and call for call.

Hypothesis plays a stream, its viewers and their NACKs on both, over sockets that refuse by the same
script, and compares every message that a socket took, its segmentation, and all that is counted.
"""

import errno
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.relay.datagrams import SegmentingSender
from media.relay.fanout import Fanout, PythonFanout
from media.relay.tracks import RelayPacket, Viewer, ViewerTrack
from media.transport.srtp import SrtpKeys, SrtpProfile, SrtpReceiver
from media.wire.extensions import PASSED, Extension
from tests.media.native.script import ScriptedSocket
from tests.support.native import require_native

require_native()

from media.relay.native_fanout import NativeFanout  # noqa: E402

LIMITS = {"cache_max_packets": 16, "cache_max_bytes": 6_000, "cache_s": 1.5}
ERRORS = (errno.EAGAIN, errno.EIO, errno.EINVAL, errno.EPERM, errno.EOPNOTSUPP)


@dataclass
class Both:
    """The two fan-outs, driven alike."""

    limits: dict[str, float] = field(default_factory=lambda: LIMITS)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.sockets = ScriptedSocket(), ScriptedSocket()
        self.fanouts: tuple[Fanout, Fanout] = (
            PythonFanout(SegmentingSender(self.sockets[0]), **self.limits),  # type: ignore[arg-type]
            NativeFanout(self.sockets[1].send_message, **self.limits),  # type: ignore[arg-type]
        )

    def answer(self, answers):
        for sock in self.sockets:
            sock.answers.clear()
            sock.answers.extend(answers)

    def __getattr__(self, name):
        def call(*arguments):
            for fanout in self.fanouts:
                getattr(fanout, name)(*arguments)

        return call

    def send(self, batch):
        for fanout in self.fanouts:
            fanout.send(batch, self.now)

    def resend(self, viewer_id, ssrc, sequences):
        for fanout in self.fanouts:
            fanout.resend(viewer_id, ssrc, sequences, self.now)

    def check(self, viewer_ids=()):
        python, native = self.fanouts
        assert self.sockets[1].sent == self.sockets[0].sent
        assert list(self.sockets[1].answers) == list(self.sockets[0].answers)
        assert native.counters == python.counters
        assert native.waiting == python.waiting
        for viewer_id in viewer_ids:
            assert list(native.sent(viewer_id)) == list(python.sent(viewer_id))


def keys_of(profile, seed):
    size = profile.key_bytes + profile.salt_bytes
    return SrtpKeys(profile, bytes((seed + n) % 256 for n in range(size)), bytes(size))


ids = st.one_of(st.integers(1, 14), st.integers(1, 255))


@st.composite
def viewer_tracks(draw, kind, ssrc):
    agreed = draw(st.lists(st.sampled_from(list(Extension)), max_size=6, unique=True))
    rtx = draw(st.booleans())
    return ViewerTrack(
        kind,
        draw(st.integers(0, 127)),
        ssrc,
        97 if rtx else None,
        ssrc ^ 0x5A5A5A5A if rtx else None,
        tuple((extension, draw(ids)) for extension in agreed),
        draw(st.text("abc0", max_size=20)),
    )


@st.composite
def viewers(draw, viewer_id):
    base = draw(st.integers(0, 2**31 - 1))
    kinds = draw(st.sampled_from([("video", "audio"), ("audio", "video"), ("video",), ("audio",)]))
    tracks = [
        draw(viewer_tracks(kind, base ^ (number * 0x80000000))) for number, kind in enumerate(kinds)
    ]
    keys = keys_of(draw(st.sampled_from(SrtpProfile)), viewer_id)
    host = draw(st.sampled_from(["127.0.0.1", "::1", "198.51.100.7"]))
    return Viewer(viewer_id, tuple(tracks), keys, (host, 1024 + viewer_id))


values = st.binary(max_size=20)


@st.composite
def packets(draw, sequence):
    """A packet about `sequence`; sizes repeat, so that runs come about."""
    kind = draw(st.sampled_from(["video", "video", "audio"]))
    size = draw(st.sampled_from([100, 100, 100, 40, 0, 1, 700, 1460, 1500]))
    return RelayPacket(
        kind,
        max(0, sequence + draw(st.integers(-3, 3))),
        draw(st.integers(0, 2**32 - 1)),
        draw(st.booleans()),
        kind == "audio" or draw(st.integers(0, 4)) == 0,
        bytes([draw(st.integers(0, 255))]) * size,
        tuple(draw(st.lists(st.tuples(st.sampled_from(PASSED), values), max_size=2))),
    )


answers = st.lists(st.one_of(st.just(0), st.sampled_from(ERRORS)), max_size=6)
STEPS = ("send", "send", "send", "send", "resend", "add", "remove", "pause", "resume", "address")


@settings(max_examples=300, deadline=None)
@given(st.data(), st.integers(0, 2**18), st.floats(0, 100))
def test_any_course_of_events(data, start, now):
    both, at, known = Both(now=now), start, {}
    for _ in range(data.draw(st.integers(1, 14))):
        both.now += data.draw(st.sampled_from([0.0, 0.01, 0.4, 2.0]))
        both.answer(data.draw(answers))
        step = data.draw(st.sampled_from(STEPS)) if known else "add"
        viewer_id = data.draw(st.integers(1, 5))
        if step == "send":
            count = data.draw(st.integers(0, 6))
            both.send([data.draw(packets(at + n)) for n in range(count)])
            at += data.draw(st.sampled_from([count, count, 30]))
        elif step == "resend":
            for track in known[viewer_id].tracks if viewer_id in known else ():
                first = track.ssrc & 0x7FFF
                numbers = st.integers(first - 2, first + 40).map(lambda n: n & 0xFFFF)
                both.resend(viewer_id, track.ssrc, data.draw(st.lists(numbers, max_size=12)))
        elif step == "add" and viewer_id not in known:
            known[viewer_id] = data.draw(viewers(viewer_id))
            both.add_viewer(known[viewer_id])
        elif step == "remove":
            both.remove_viewer(viewer_id)
            known.pop(viewer_id, None)
        elif step == "address":
            both.set_address(viewer_id, ("127.0.0.9", 9000 + viewer_id))
        elif step in ("pause", "resume"):
            getattr(both, step)(viewer_id)
        both.check(known)


def video(sequence, *, keyframe=False, payload=b"x" * 50):
    return RelayPacket("video", sequence, sequence * 3_000 % 2**32, False, keyframe, payload)


def plain_viewer(profile=SrtpProfile.AEAD_AES_128_GCM, ssrc=0x7FF0, **fields):
    track = ViewerTrack("video", 96, ssrc, **fields)
    return Viewer(1, (track,), keys_of(profile, 1), ("127.0.0.1", 5000))


@pytest.mark.parametrize("profile", list(SrtpProfile), ids=lambda profile: profile.name)
def test_over_the_wrap_of_sequence_and_rollover_counter(profile):
    both = Both()
    viewer = plain_viewer(profile, rtx_payload_type=97, rtx_ssrc=0x77777)
    both.add_viewer(viewer)
    both.send([video(10_000, keyframe=True)])
    for start in range(10_001, 80_000, 4_000):
        both.now += 1
        both.send([video(sequence) for sequence in range(start, start + 40)])
        outgoing = [(0x7FF0 + sequence - 10_000) & 0xFFFF for sequence in (start + 39, start)]
        both.resend(1, 0x7FF0, outgoing)
    both.check([1])
    remote = SrtpKeys(profile, viewer.keys.remote, viewer.keys.local)
    receiver = SrtpReceiver(remote)
    assert all(receiver.unprotect(data) for data, _ in both.sockets[1].datagrams())


def test_more_omissions_than_are_remembered():
    both = Both(limits=LIMITS | {"cache_max_packets": 4096, "cache_max_bytes": 10**6})
    both.add_viewer(plain_viewer(ssrc=5))
    for number in range(0, 700, 7):
        both.send([video(number, keyframe=True), video(number + 1)])
        both.pause(1)
        both.resume(1)
    both.resend(1, 5, range(5, 260))
    both.check([1])
    assert both.fanouts[0].counters.resent == 130


def test_long_batches_and_long_runs():
    both = Both(limits=LIMITS | {"cache_max_packets": 4096, "cache_max_bytes": 10**7})
    both.add_viewer(plain_viewer())
    for size in (30, 1100, 1440, 1460):
        first = size * 1000
        batch = [video(first + n, keyframe=True, payload=bytes(size)) for n in range(200)]
        both.send(batch)
    both.check([1])
    assert {segment for _, segment, _ in both.sockets[1].sent} == {0, 58, 1128, 1468}


def test_payloads_up_to_the_largest():
    both = Both(limits=LIMITS | {"cache_max_bytes": 10**7})
    both.add_viewer(plain_viewer())
    sizes = (65_535, 65_535, 10, 65_000, 1, 0)
    both.send([video(n, keyframe=True, payload=bytes(size)) for n, size in enumerate(sizes)])
    both.resend(1, 0x7FF0, [0x7FF0, 0x7FF1, 0x7FF3])
    both.check([1])
    assert len(both.sockets[1].sent) == 8


@pytest.mark.parametrize("error", ERRORS)
def test_a_refusal_in_the_middle_of_many_viewers(error):
    both = Both()
    for number in range(1, 6):
        both.add_viewer(replace(plain_viewer(), viewer_id=number, address=("127.0.0.1", number)))
    both.send([video(0, keyframe=True)])
    both.answer([0, 0, error, 0, 0, 0, error])
    both.send([video(n) for n in (1, 2, 3)])
    both.check()
    both.answer([])
    both.send([video(n) for n in (4, 5, 6)])
    both.send([video(n, keyframe=n == 7) for n in (7, 8, 9)])
    both.check(range(1, 6))
    assert both.fanouts[1].counters.dropped > 0


def test_a_batch_that_takes_several_system_calls():
    both = Both()
    for number in range(1, 400):
        both.add_viewer(replace(plain_viewer(), viewer_id=number, address=("127.0.0.1", number)))
    both.send([video(n, keyframe=n == 0, payload=bytes(1000 + n)) for n in range(5)])
    both.check(range(1, 400))
    assert both.fanouts[1].counters.forwarded == 5 * 399
