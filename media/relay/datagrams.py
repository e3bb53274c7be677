"""Several datagrams to one address in few system calls, by UDP segmentation offload (GSO).

The kernel cuts one long buffer into datagrams of equal size (the last may be shorter), which costs
one walk through the network stack instead of many. Where the kernel or the device refuses, plain
sending takes over and that is remembered.
"""

import errno
import logging
import socket
import struct
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from media.relay.tracks import Address

_UDP_SEGMENT: Final = 103  # linux/udp.h; the socket module does not name it
_MAX_SEGMENTS: Final = 64
_MAX_RUN_BYTES: Final = 65_000
_MAX_SEGMENT_BYTES: Final = 1472  # Ethernet's MTU without IP and UDP headers: never fragmented
_REFUSALS: Final = frozenset({errno.EIO, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOPROTOOPT})

_logger = logging.getLogger(__name__)


class DatagramSender(Protocol):
    """Sends without waiting."""

    def send(self, datagrams: Sequence[bytes], address: Address) -> int:
        """Send in order; the number that the socket took before it would have had to wait."""


class SegmentingSender:
    """A `DatagramSender` over one non-blocking UDP socket, which the caller owns."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.segments = _is_segmentation_known(sock)

    def send(self, datagrams: Sequence[bytes], address: Address) -> int:
        if len(datagrams) == 1 or not self.segments:
            return self._send_plainly(datagrams, address)
        sent = 0
        for run in _runs(datagrams):
            taken = self._send_run(run, address)
            sent += taken
            if taken < len(run):
                break
        return sent

    def _send_run(self, run: Sequence[bytes], address: Address) -> int:
        if len(run) == 1 or not self.segments:
            return self._send_plainly(run, address)
        segment = [(socket.IPPROTO_UDP, _UDP_SEGMENT, struct.pack("=H", len(run[0])))]
        try:
            self._sock.sendmsg(run, segment, 0, address)
        except OSError as error:
            if error.errno not in _REFUSALS:
                return 0
            sent = self._send_plainly(run, address)
            if sent:  # so it was the segmentation that was refused, not the address
                self.segments = False
                _logger.warning("UDP segmentation offload refused: %s", error.strerror)
            return sent
        return len(run)

    def _send_plainly(self, datagrams: Sequence[bytes], address: Address) -> int:
        sendto = self._sock.sendto
        for sent, datagram in enumerate(datagrams):
            try:
                sendto(datagram, address)
            except OSError:  # would block, or no way to that address: the datagram is lost
                return sent
        return len(datagrams)


def _is_segmentation_known(sock: socket.socket) -> bool:
    try:
        sock.getsockopt(socket.IPPROTO_UDP, _UDP_SEGMENT)
    except OSError:
        return False
    return True


def _runs(datagrams: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Consecutive datagrams that one system call can carry: equal sizes, the last maybe smaller."""
    start = 0
    while start < len(datagrams):
        size = len(datagrams[start])
        limit = min(len(datagrams), start + min(_MAX_SEGMENTS, _MAX_RUN_BYTES // size))
        end = start + 1
        if size <= _MAX_SEGMENT_BYTES:
            while end < limit and len(datagrams[end]) == size:
                end += 1
            if end < limit and len(datagrams[end]) < size:
                end += 1
        yield datagrams[start:end]
        start = end
