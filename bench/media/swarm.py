"""Hundreds of lean viewers in a process of their own, which drains their sockets and counts.

    python -m bench.media.swarm SOCKET COUNT

Prints a JSON object once all are connected; then, for every line on its standard input, one with
the RTP packets that each viewer got since the last time. Datagrams are taken as GRO joins them,
as a network card's driver would take them from the sender before it cuts them.
"""

import json
import os
import re
import select
import socket
import struct
import sys
import time

from bench.media.control import Control
from bench.media.lean import UDP_GRO, LeanPeer, offer

CONSENT_S = 2.5  # libwebrtc's interval
REPORT_S = 1.0
RTCP_TYPES = range(192, 224)  # RFC 5761 §4, where the payload type of RTP would stand


class Swarm:
    """Connected viewers; `drain` is called over and over."""

    def __init__(self) -> None:
        self._peers: list[LeanPeer] = []
        self._ssrcs: list[tuple[int, ...]] = []
        self._packets: list[int] = []
        self._consent_due: list[float] = []
        self._report_due: list[float] = []
        self._by_fd: dict[int, int] = {}
        self._epoll = select.epoll()
        self._turn = 0
        self._buffer = bytearray(65_536)

    def connect(self, control: Control) -> None:
        """One more viewer; those who are there are looked after meanwhile."""
        peer = LeanPeer()
        answer = str(control.ask("watch", offer("recvonly"))["answer"])
        peer.connect(answer)
        peer.socket.setsockopt(socket.SOL_UDP, UDP_GRO, 1)
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        peer.socket.setblocking(False)
        self._by_fd[peer.socket.fileno()] = len(self._peers)
        self._epoll.register(peer.socket.fileno(), select.EPOLLIN)
        self._peers.append(peer)
        self._ssrcs.append(tuple({int(s) for s in re.findall(r"^a=ssrc:(\d+)", answer, re.M)}))
        self._packets.append(0)
        now = time.monotonic()
        self._consent_due.append(now + CONSENT_S)
        self._report_due.append(now + REPORT_S)
        self.drain(0)

    def take(self) -> list[int]:
        """RTP packets a viewer since the last time."""
        packets, self._packets = self._packets, [0] * len(self._packets)
        return packets

    def drain(self, pause_s: float) -> None:
        """After a pause, read whatever waits, then send what is due.

        Nobody sleeps at the sockets meanwhile: a sender on the same machine would pay for waking
        them, and real viewers are woken by machines of their own.
        """
        time.sleep(pause_s)
        for fd, _ in self._epoll.poll(0, len(self._peers)):
            self._read(self._by_fd[fd])
        self._send_due(time.monotonic())

    def _read(self, at: int) -> None:
        peer, buffer = self._peers[at], self._buffer
        while True:
            try:
                size, ancillary, _, _ = peer.socket.recvmsg_into([buffer], 64)
            except BlockingIOError:
                return
            if buffer[0] >> 6 != 2 or buffer[1] in RTCP_TYPES:
                continue
            segment = size
            for _, kind, data in ancillary:
                if kind == UDP_GRO:
                    segment = struct.unpack("=i", data[:4])[0]
            self._packets[at] += -(-size // segment)

    def _send_due(self, now: float) -> None:
        """Look at a few viewers each time: everybody's turn comes several times a second."""
        for _ in range(min(32, len(self._peers))):
            at = self._turn = (self._turn + 1) % len(self._peers)
            if self._consent_due[at] <= now:
                self._consent_due[at] = now + CONSENT_S
                self._peers[at].check()
            if self._report_due[at] <= now:
                self._report_due[at] = now + REPORT_S
                self._peers[at].report(self._ssrcs[at])


def main(path: str, count: int) -> None:
    """Connect, then drain until standard input ends."""
    os.nice(10)  # viewers' machines are elsewhere: what they do must not push the server aside
    swarm, control = Swarm(), Control(path)
    for _ in range(count):
        swarm.connect(control)
    print(json.dumps({"connected": count}), flush=True)
    questions = select.poll()
    questions.register(sys.stdin, select.POLLIN | select.POLLHUP)
    while True:
        swarm.drain(0.005)
        if questions.poll(0):
            if not sys.stdin.readline():
                return
            print(json.dumps(swarm.take()), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
