"""The listener against clients of ill will: handshakes, sizes, kinds, floods, the slow."""

import asyncio
import socket as sockets
from contextlib import suppress
from pathlib import Path

import msgpack
import pytest
import uvloop
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import InvalidStatus
from websockets.protocol import State
from websockets.typing import Subprotocol

import chat
from chat.errors import CloseCode
from chat.fanout import websocket_frame
from chat.sockets import Listener, Socket
from config.chat import ChatSettings
from tests.chat.conftest import JSON, MSGPACK, ConnectTo, StartNode, World

BOMBS = {
    "nested lists": b"\x91" * 4000 + b"\xc0",
    "nested maps": b"\x81\xa1a" * 1300 + b"\xc0",
    "a list of four billion": b"\x81\xa1t\xdd\xff\xff\xff\xff",
    "a map of four billion": b"\xdf\xff\xff\xff\xff",
    "a string of four billion": b"\x81\xa1t\xdb\xff\xff\xff\xff",
    "binary of four billion": b"\x81\xa1t\xc6\xff\xff\xff\xff",
    "an extension of four billion": b"\xc9\xff\xff\xff\xff\x01",
    "a truncated frame": msgpack.packb({"t": "hello"})[:-2],
    "two frames in one": msgpack.packb({"t": "ping"}) * 2,
    "nothing": b"",
    "no map": b"\x2a",
}


@pytest.mark.parametrize("offered", [None, ["other.v1"]])
async def test_no_common_subprotocol_is_a_bad_request(
    offered: list[str] | None, start_node: StartNode
) -> None:
    node = await start_node()
    subprotocols = offered and [Subprotocol(name) for name in offered]
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"ws://127.0.0.1:{node.port}/", subprotocols=subprotocols)
    assert refused.value.response.status_code == 400


async def test_any_origin_may_connect_and_nothing_is_compressed(
    start_node: StartNode, connect_to: ConnectTo
) -> None:
    node = await start_node()
    async with connect(
        f"ws://127.0.0.1:{node.port}/",
        subprotocols=[Subprotocol("unknown"), Subprotocol(JSON)],
        origin="https://elsewhere.example",  # type: ignore[arg-type]
    ) as client:
        assert client.subprotocol == JSON
        assert client.protocol.extensions == []


async def test_slow_headers_are_cut_off(start_node: StartNode) -> None:
    node = await start_node(open_timeout_s=0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n")
    async with asyncio.timeout(3):
        assert await reader.read() == b""
    writer.close()


async def test_without_a_hello_in_time_the_connection_ends(
    start_node: StartNode, connect_to: ConnectTo
) -> None:
    node = await start_node(hello_timeout_s=0.1)
    silent = await connect_to(node, hello=False)
    wrong = await connect_to(node, hello=False)
    assert (await wrong.ask("ping"))["code"] == "hello_first"
    assert (await wrong.ask("hello", token="nonsense"))["code"] == "invalid_token"
    guest = await connect_to(node)
    assert [await silent.closed(), await wrong.closed()] == [4000, 4000]
    assert (await guest.ask("ping"))["t"] == "pong"


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
async def test_msgpack_bombs_are_refused_and_counted(
    bomb: bytes, start_node: StartNode, connect_to: ConnectTo
) -> None:
    node = await start_node(max_bad_frames=1)
    client = await connect_to(node)
    await client.socket.send(bomb)
    assert (await client.receive())["code"] == "bad_frame"
    assert (await client.ask("ping"))["t"] == "pong"
    await client.socket.send(bomb)
    assert (await client.receive())["code"] == "bad_frame"
    assert await client.closed() == 4001


@pytest.mark.parametrize("bomb", ["[" * 4000, '{"t":' * 600, '{"t":"x"', "", "nonsense", "\x00"])
async def test_json_bombs_are_refused_and_counted(
    bomb: str, start_node: StartNode, connect_to: ConnectTo
) -> None:
    node = await start_node(max_bad_frames=1)
    client = await connect_to(node, subprotocol=JSON)
    for _ in range(2):
        await client.socket.send(bomb)
        assert (await client.receive())["code"] == "bad_frame"
    assert await client.closed() == 4001


async def test_wrong_kinds_and_sizes_end_the_connection(
    start_node: StartNode, connect_to: ConnectTo
) -> None:
    node = await start_node()
    cases: list[tuple[str, str | bytes, int]] = [
        (MSGPACK, '{"t": "ping"}', 1007),
        (JSON, msgpack.packb({"t": "ping"}), 1007),
        (MSGPACK, b"x" * 4097, 1009),
        (JSON, "x" * 10_000_000, 1009),
    ]
    for subprotocol, data, code in cases:
        client = await connect_to(node, subprotocol=subprotocol)
        await client.socket.send(data)
        assert await client.closed() == code
    client = await connect_to(node, subprotocol=JSON)
    await client.socket.send(b"\xff\xfe", text=True)
    assert await client.closed() == 1007


async def test_a_flood_of_requests_ends_the_connection(
    start_node: StartNode, connect_to: ConnectTo
) -> None:
    node = await start_node(requests_per_10_s=5, max_bad_frames=2)
    client = await connect_to(node)
    for _ in range(7):
        await client.send("ping")
    kinds = [(await client.receive()).get("code", "pong") for _ in range(7)]
    assert kinds == ["pong"] * 4 + ["rate_limited"] * 3
    assert await client.closed() == 4001


async def test_connections_are_bounded(
    world: World, start_node: StartNode, connect_to: ConnectTo
) -> None:
    by_address = await start_node(max_connections_per_address=2)
    whole = await start_node(max_connections=2)
    for node in (by_address, whole):
        first, _ = [await connect_to(node) for _ in range(2)]
        assert await (await connect_to(node, hello=False)).closed() == 4004
        await first.socket.close()
        await connect_to(node)

    node = await start_node(max_connections_per_user=1)
    await connect_to(node, world.user("ann"))
    second = await connect_to(node, hello=False)
    await second.send("hello", token="ann")
    assert await second.closed() == 4004
    assert node.counters.closed[CloseCode.TOO_MANY_CONNECTIONS] == 1


async def test_tcp_connections_beyond_all_bounds_are_cut_unread(start_node: StartNode) -> None:
    node = await start_node(max_connections=1, max_pending_connections=1)
    streams = [await asyncio.open_connection("127.0.0.1", node.port) for _ in range(3)]
    async with asyncio.timeout(3):
        with suppress(ConnectionResetError):
            assert await streams[2][0].read() == b""
    assert not streams[0][0].at_eof()
    for _, writer in streams:
        writer.close()


async def test_forwarded_addresses_count_behind_a_trusted_proxy(
    start_node: StartNode, connect_to: ConnectTo
) -> None:
    node = await start_node(max_connections_per_address=1, trusted_proxies=("127.0.0.0/8",))
    near = {"additional_headers": {"X-Forwarded-For": "198.51.100.1"}}
    far = {"additional_headers": {"X-Forwarded-For": "198.51.100.2"}}
    await connect_to(node, **near)
    await connect_to(node, **far)
    assert await (await connect_to(node, hello=False, **far)).closed() == 4004


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_slow_client_is_ended_and_the_others_are_not(new_loop: object) -> None:
    """On both event loops: they buffer differently."""

    async def scenario() -> None:
        settings = ChatSettings(port=0, outgoing_budget_bytes=65_536, close_timeout_s=0.1)
        served: asyncio.Queue[Socket] = asyncio.Queue()
        ends: list[CloseCode] = []
        over = asyncio.Event()

        async def serve_one(socket: Socket) -> None:
            served.put_nowait(socket)
            while await socket.receive() is not None:
                pass
            over.set()

        listener = Listener(settings, serve_one, ends.append)
        await listener.start()
        slow = sockets.create_connection(("127.0.0.1", listener.port))
        slow.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        slow.sendall(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Protocol: sociallive.v1.json\r\n\r\n"
        )
        socket = await served.get()
        message = websocket_frame(socket.codec.opcode, b"x" * 4000)
        most = 0
        async with asyncio.timeout(10):
            while not ends:
                socket.write(message)
                most = max(most, socket.transport.get_write_buffer_size())
                await asyncio.sleep(0)
            assert ends == [CloseCode.TOO_SLOW]
            assert most <= settings.outgoing_budget_bytes + len(message)
            socket.write(message)  # RFC 6455 §5.5.1: nothing after the Close frame
            await over.wait()
            await socket.ended()
            assert socket.transport.is_closing()
        slow.close()
        await listener.stop()

    loop = new_loop()  # type: ignore[operator]
    try:
        loop.run_until_complete(scenario())
    finally:
        loop.close()


async def test_a_slow_client_gets_4002_and_leaves_the_room(
    world: World, start_node: StartNode, connect_to: ConnectTo
) -> None:
    node = await start_node(outgoing_budget_bytes=65_536, close_timeout_s=5)
    stream_id = world.stream()
    slow = await connect_to(node, join=stream_id, max_queue=1)
    quick = await connect_to(node, join=stream_id)
    states = 0
    while not node.counters.closed[CloseCode.TOO_SLOW]:
        for _ in range(200):
            await node.stream_state(stream_id, "live" * 250)
        states += 200
        for _ in range(200):
            await quick.until("stream")
        assert states < 100_000, "the budget is not kept"
    assert (await quick.ask("join", stream_id=stream_id))["viewers"] == 1
    assert (node.figures.members, node.figures.connections) == (1, 1)
    assert await slow.closed() == 4002
    assert (await quick.ask("ping"))["t"] == "pong"


async def test_the_names_that_the_library_does_not_document(
    start_node: StartNode, connect_to: ConnectTo
) -> None:
    """If this fails after an upgrade, read chat/sockets.py against the new version."""
    seen: list[Socket] = []
    settings = ChatSettings(port=0)

    async def serve_one(socket: Socket) -> None:
        seen.append(socket)
        assert isinstance(socket, ServerConnection)
        assert isinstance(socket.transport, asyncio.Transport)
        assert socket.protocol.state is State.OPEN
        assert socket.protocol.data_to_send() == []
        assert socket.send_in_progress is None
        socket.write(websocket_frame(1, b"prebuilt"))
        await socket.send("the library's own")
        socket.write(websocket_frame(1, b"prebuilt again"))
        assert await socket.receive() is None
        assert socket.protocol.state is State.CLOSED

    listener = Listener(settings, serve_one, lambda code: None)
    await listener.start()
    async with connect(
        f"ws://127.0.0.1:{listener.port}/", subprotocols=[Subprotocol(JSON)]
    ) as client:
        texts = [await client.recv() for _ in range(3)]
        assert texts == ["prebuilt", "the library's own", "prebuilt again"]
    await listener.stop()
    assert len(seen) == 1


def test_drivers_are_imported_in_one_file_each() -> None:
    folder = Path(chat.__file__).parent
    for driver, owner in (("websockets", "sockets.py"), ("msgpack", "frames.py")):
        users = {
            path.name
            for path in folder.glob("*.py")
            if f"import {driver}" in (text := path.read_text()) or f"from {driver}" in text
        }
        assert users == {owner}
