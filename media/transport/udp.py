"""The worker's one UDP socket: batches in, single datagrams out, never blocking."""

import asyncio
import errno
import socket
from collections.abc import Callable
from ipaddress import ip_address

from media.errors import PortTaken

Address = tuple[str, int]
Batch = list[tuple[bytes, Address]]

# What one wake of the event loop reads: enough for a key frame in one batch, little enough that
# a flood leaves the loop time for other work.
BATCH_DATAGRAMS = 64

_MAX_DATAGRAM_BYTES = 65_535
_BUFFER_BYTES = 8 * 1024 * 1024


class UdpSocket:
    """A socket of one address; never blocks, neither to read nor to send."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._is_ipv6 = ip_address(host).version == 6
        family = socket.AF_INET6 if self._is_ipv6 else socket.AF_INET
        self.raw = socket.socket(family, socket.SOCK_DGRAM)
        """For senders with system calls of their own; closed by `close`."""
        self.raw.setblocking(False)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            self.raw.setsockopt(socket.SOL_SOCKET, option, _BUFFER_BYTES)
        self._is_bound = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def bind(self) -> None:
        """Take the port, for a reader with system calls of its own; port 0 takes a free one.

        Raises PortTaken with advice.
        """
        host, port = self._address
        try:
            self.raw.bind((host, port))
        except OSError as error:
            self.close()
            raise PortTaken(error.errno, _bind_advice(host, port, error)) from error
        self._is_bound = True

    def open(self, on_batch: Callable[[Batch], None]) -> None:
        """Bind, and hand every batch read to `on_batch` in the running event loop until `close`.

        Raises PortTaken with advice.
        """
        self.bind()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self.raw, self._read, on_batch)

    @property
    def port(self) -> int:
        """The port that it is bound to. Raises RuntimeError while it is not open."""
        if not self._is_bound:
            raise RuntimeError("the UDP socket is not open")
        port: int = self.raw.getsockname()[1]
        return port

    def send(self, datagram: bytes, address: Address) -> bool:
        """Send, or drop and say so: a relay that waited for one peer would starve the others."""
        try:
            self.raw.sendto(datagram, address)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Stop reading and free the port."""
        if self._loop is not None:
            self._loop.remove_reader(self.raw)
            self._loop = None
        self._is_bound = False
        self.raw.close()

    def _read(self, on_batch: Callable[[Batch], None]) -> None:
        batch: Batch = []
        for _ in range(BATCH_DATAGRAMS):
            try:
                datagram, address = self.raw.recvfrom(_MAX_DATAGRAM_BYTES)
            except BlockingIOError:
                break
            except OSError:
                continue  # an ICMP error about something sent earlier; the peer's timer decides
            batch.append((datagram, address[:2] if self._is_ipv6 else address))
        if batch:
            on_batch(batch)


def _bind_advice(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"UDP port {port} on {host} is in use. End the program that has it, or choose another"
            " port (media.udp_port)."
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine. Correct media.bind_host."
    return f"UDP port {port} on {host} can't be bound: {error.strerror}."
