"""Segmentation over real sockets, and what happens where the kernel refuses."""

import errno
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.relay.datagrams import SegmentingSender


class Refusing:
    """A socket that refuses what it is told to; everything else goes out."""

    def __init__(self, *, segments: int | None = None, room: int = 10**9) -> None:
        self.sent: list[bytes] = []
        self.calls = 0
        self._segments_errno = segments
        self._room = room

    def getsockopt(self, level, option):
        return 0

    def sendto(self, datagram, address):
        self.calls += 1
        if self._room < 1:
            raise BlockingIOError(errno.EAGAIN, "full")
        self._room -= 1
        self.sent.append(bytes(datagram))

    def sendmsg(self, buffers, ancillary, flags, address):
        self.calls += 1
        if self._segments_errno is not None:
            raise OSError(self._segments_errno, "refused")
        if self._room < len(buffers):
            raise BlockingIOError(errno.EAGAIN, "full")
        self._room -= len(buffers)
        self.sent += map(bytes, buffers)


@pytest.fixture
def sockets():
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiving,
    ):
        receiving.bind(("127.0.0.1", 0))
        receiving.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        receiving.settimeout(5)
        sending.setblocking(False)
        yield sending, receiving


@pytest.mark.parametrize("segments", [True, False])
@pytest.mark.parametrize(
    "sizes",
    [[100], [100] * 5, [100, 100, 40], [40, 100, 100], [100, 100, 40, 40], [50] * 70, [1472, 1473]],
    ids=str,
)
def test_datagrams_arrive_as_they_were(sockets, segments, sizes):
    sending, receiving = sockets
    sender = SegmentingSender(sending)
    sender.segments = sender.segments and segments
    datagrams = [bytes([number]) * size for number, size in enumerate(sizes)]
    assert sender.send(datagrams, receiving.getsockname()) == len(datagrams)
    assert [receiving.recv(2000) for _ in datagrams] == datagrams


def test_equal_datagrams_take_one_call_and_the_last_may_be_shorter():
    sock = Refusing()
    assert SegmentingSender(sock).send([b"aaa", b"bbb", b"c", b"dd"], ("h", 1)) == 4
    assert sock.calls == 2
    assert sock.sent == [b"aaa", b"bbb", b"c", b"dd"]


def test_what_would_be_fragmented_is_not_segmented():
    sock = Refusing()
    SegmentingSender(sock).send([bytes(1473)] * 3, ("h", 1))
    assert sock.calls == 3


@pytest.mark.parametrize("refusal", [errno.EIO, errno.EINVAL, errno.EOPNOTSUPP])
def test_a_refusal_is_made_good_and_remembered(refusal):
    sock = Refusing(segments=refusal)
    sender = SegmentingSender(sock)
    assert sender.send([b"aaa", b"bbb"], ("h", 1)) == 2
    assert not sender.segments
    assert sender.send([b"ccc", b"ddd"], ("h", 1)) == 2
    assert sock.sent == [b"aaa", b"bbb", b"ccc", b"ddd"]
    assert sock.calls == 5


def test_an_address_that_takes_nothing_says_nothing_about_segmentation():
    sock = Refusing(segments=errno.EINVAL, room=0)
    sender = SegmentingSender(sock)
    assert sender.send([b"aaa", b"bbb"], ("h", 1)) == 0
    assert sender.segments


def test_a_full_socket_keeps_the_rest_out():
    sock = Refusing(room=3)
    datagrams = [b"aa", b"aa", b"bbb", b"bbb", b"c"]
    assert SegmentingSender(sock).send(datagrams, ("h", 1)) == 2
    assert sock.sent == datagrams[:2]
    assert SegmentingSender(Refusing(room=0)).send([b"x"], ("h", 1)) == 0


def test_a_kernel_that_never_heard_of_it_is_not_asked(sockets):
    class Old(Refusing):
        def getsockopt(self, level, option):
            raise OSError(errno.ENOPROTOOPT, "unknown")

    sock = Old(segments=errno.EINVAL)
    assert SegmentingSender(sock).send([b"aa", b"aa"], ("h", 1)) == 2
    assert sock.calls == 2


@given(st.lists(st.integers(1, 1600), min_size=1, max_size=150), st.integers(0, 200))
def test_in_order_and_never_more_than_there_is_room_for(sizes, room):
    sock = Refusing(room=room)
    datagrams = [bytes(size) for size in sizes]
    sent = SegmentingSender(sock).send(datagrams, ("h", 1))
    assert sent <= min(room, len(datagrams))
    assert sock.sent == datagrams[:sent]
    if room >= len(datagrams):
        assert sent == len(datagrams)
