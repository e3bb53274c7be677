import asyncio
import socket
from collections.abc import Iterator

import pytest

from media.errors import PortTaken
from media.transport.udp import BATCH_DATAGRAMS, Batch, UdpSocket


@pytest.fixture
def udp() -> Iterator[UdpSocket]:
    udp = UdpSocket("127.0.0.1", 0)
    yield udp
    udp.close()


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(5)
        yield peer


async def test_datagrams_come_in_batches_with_their_sender(
    udp: UdpSocket, peer: socket.socket
) -> None:
    batches: asyncio.Queue[Batch] = asyncio.Queue()
    udp.open(batches.put_nowait)
    for number in range(BATCH_DATAGRAMS + 1):
        peer.sendto(bytes([number]), ("127.0.0.1", udp.port))
    first = await asyncio.wait_for(batches.get(), 5)
    second = await asyncio.wait_for(batches.get(), 5)
    assert [datagram for datagram, _ in first] == [bytes([n]) for n in range(BATCH_DATAGRAMS)]
    assert second == [(bytes([BATCH_DATAGRAMS]), peer.getsockname())]


async def test_sending(udp: UdpSocket, peer: socket.socket) -> None:
    udp.open(lambda batch: None)
    assert udp.send(b"hello", peer.getsockname())
    assert peer.recvfrom(100) == (b"hello", ("127.0.0.1", udp.port))


async def test_what_can_not_be_sent_is_told(udp: UdpSocket) -> None:
    udp.open(lambda batch: None)
    assert not udp.send(bytes(65_536), ("127.0.0.1", 9))


async def test_a_closed_port_is_free_again_and_silent(udp: UdpSocket) -> None:
    udp.open(lambda batch: None)
    port = udp.port
    udp.close()
    with pytest.raises(RuntimeError):
        _ = udp.port
    again = UdpSocket("127.0.0.1", port)
    again.open(lambda batch: None)
    assert again.port == port
    again.close()


async def test_ports_and_addresses_that_can_not_be_had(udp: UdpSocket) -> None:
    udp.open(lambda batch: None)
    with pytest.raises(PortTaken, match=f"UDP port {udp.port} on 127.0.0.1 is in use"):
        UdpSocket("127.0.0.1", udp.port).open(lambda batch: None)
    with pytest.raises(PortTaken, match="no address of this machine"):
        UdpSocket("192.0.2.77", 0).open(lambda batch: None)


async def test_ipv6_addresses_are_pairs_too() -> None:
    udp = UdpSocket("::1", 0)
    batches: asyncio.Queue[Batch] = asyncio.Queue()
    try:
        udp.open(batches.put_nowait)
    except PortTaken:
        pytest.skip("this machine has no IPv6 loopback")
    assert udp.send(b"to myself", ("::1", udp.port))
    assert await asyncio.wait_for(batches.get(), 5) == [(b"to myself", ("::1", udp.port))]
    udp.close()
