"""CPU of one chat message delivered to one member of a room, against `websockets.broadcast()`.

    python -m bench.chat

A thousand clients, in a process of their own, are in one room over loopback. In every run the same
number of messages of 150 bytes goes to the same connections: by our fan-out (read from the bus,
applied to the room, framed once, written to each), by the library's broadcast, and by a bare
`send()` a client, which is what the kernel asks in any case. Only the CPU of the serving process
counts, kernel included, until every byte is out of its hands. Runs alternate; medians are shown.
"""

import asyncio
import gc
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import cast
from uuid import UUID

import uvloop
from websockets.asyncio.server import broadcast

from bench.report import Figure, report
from chat.errors import CloseCode
from chat.fanout import deliver, websocket_frame
from chat.frames import MSGPACK, Frame
from chat.members import RoomInfo
from chat.room import Room
from chat.sockets import Listener, Socket
from config.chat import ChatSettings

CLIENTS = 1000
MESSAGES = 20
RUNS = 21
MESSAGE_BYTES = 150
STREAM_ID = UUID(int=1)

Send = Callable[[bytes], None]


class Reader(asyncio.Protocol):
    """A client that reads and forgets."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        lines = (
            "GET / HTTP/1.1",
            "Host: localhost",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Protocol: {MSGPACK.subprotocol}",
            "\r\n",
        )
        cast(asyncio.WriteTransport, transport).write("\r\n".join(lines).encode())


async def read(port: int) -> None:
    """Connect every client, then read until this process is ended."""
    loop = asyncio.get_running_loop()
    clients = [await loop.create_connection(Reader, "127.0.0.1", port) for _ in range(CLIENTS)]
    await asyncio.Event().wait()
    clients.clear()


def run_clients(port: int) -> None:
    """Entry of the clients' process."""
    uvloop.run(read(port))


@contextmanager
def clients_of(port: int) -> Iterator[None]:
    """The clients' process, as long as the block runs."""
    process = multiprocessing.get_context("spawn").Process(target=run_clients, args=(port,))
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def messages(numbers: Iterator[int]) -> list[bytes]:
    """Events of MESSAGE_BYTES each, no two alike, as the bus carries them."""
    events: list[Frame] = [
        {"t": "message", "message_id": f"{next(numbers):08d}", "text": "x" * 200}
        for _ in range(MESSAGES)
    ]
    for event in events:
        event["text"] = "x" * (200 - len(MSGPACK.encode(event)) + MESSAGE_BYTES)
    payloads = [MSGPACK.encode(event) for event in events]
    assert {len(payload) for payload in payloads} == {MESSAGE_BYTES}
    return payloads


def resident_kib() -> float:
    """Memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024


async def cpu_us(send: Send, sockets: list[Socket], payloads: list[bytes]) -> float:
    """CPU of this process for each delivery of one run."""
    gc.collect()
    before = time.process_time_ns()
    for payload in payloads:
        send(payload)
        await asyncio.sleep(0)
    while any(socket.transport.get_write_buffer_size() for socket in sockets):  # noqa: ASYNC110
        await asyncio.sleep(0)
    return (time.process_time_ns() - before) / 1000 / len(payloads) / len(sockets)


def ways(room: Room, sockets: list[Socket]) -> dict[str, Send]:
    """How a payload gets to every socket."""
    files = [socket.transport.get_extra_info("socket").fileno() for socket in sockets]

    def ours(payload: bytes) -> None:
        event = MSGPACK.decode_event(payload)
        if room.apply(event):
            deliver(room.outlets, event, payload)

    def library(payload: bytes) -> None:
        broadcast(sockets, payload)

    def bare(payload: bytes) -> None:
        message = websocket_frame(MSGPACK.opcode, payload)
        for file in files:
            os.write(file, message)

    return {"ours": ours, "library": library, "bare": bare}


async def measure() -> list[Figure]:
    """Connect the clients, then run each way in turn."""
    settings = ChatSettings(port=0, max_connections_per_address=CLIENTS)
    room = Room(STREAM_ID, settings, RoomInfo(STREAM_ID, STREAM_ID, "live"))
    is_full = asyncio.Event()
    ends: list[CloseCode] = []

    async def serve(socket: Socket) -> None:
        room.join(socket.codec, socket)
        if room.members == CLIENTS:
            is_full.set()
        await socket.receive()

    listener = Listener(settings, serve, ends.append)
    await listener.start()
    before_kib = resident_kib()
    with clients_of(listener.port):
        async with asyncio.timeout(30):
            await is_full.wait()
        memory_kib = (resident_kib() - before_kib) / CLIENTS
        sockets = [outlet for outlet in room.outlets[MSGPACK] if isinstance(outlet, Socket)]
        sends, numbers = ways(room, sockets), count()
        runs: dict[str, list[float]] = {name: [] for name in sends}
        for send in sends.values():
            await cpu_us(send, sockets, messages(numbers))
        for _ in range(RUNS):
            for name, send in sends.items():
                runs[name].append(await cpu_us(send, sockets, messages(numbers)))
        if ends:
            raise SystemExit(f"clients were cut off with {set(ends)}: the figures mean nothing")
    await listener.stop()
    return figures(runs, memory_kib)


def figures(runs: dict[str, list[float]], memory_kib: float) -> list[Figure]:
    """The table's rows."""
    name = f"CPU a delivery of {MESSAGE_BYTES} bytes, {CLIENTS} clients in a room"
    return [
        Figure.of_runs(
            name, runs["ours"], "µs", peer="websockets.broadcast()", peer_values=runs["library"]
        ),
        Figure.of_runs(name, runs["ours"], "µs", peer="bare send()", peer_values=runs["bare"]),
        Figure("memory an idle client", memory_kib, "KiB"),
    ]


if __name__ == "__main__":
    report("chat", uvloop.run(measure()))
