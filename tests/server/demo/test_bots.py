"""Demo viewers reconnect when the server goes away, and start again with a new token."""

import asyncio
import json
from uuid import uuid4

import pytest
from websockets.asyncio.server import ServerConnection, serve

from server.demo import bots
from server.demo.bots import SUBPROTOCOL, chatter


async def test_it_comes_back_with_a_new_token_when_the_old_one_expired(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bots, "RECONNECT_S", 0.01)
    monkeypatch.setattr(bots, "PAUSE_S", (0.01, 0.02))
    tokens: list[str] = []
    frames: list[str] = []
    twice = asyncio.Event()

    async def server(socket: ServerConnection) -> None:
        hello = json.loads(await socket.recv())
        tokens.append(hello["token"])
        assert json.loads(await socket.recv())["t"] == "join"
        frames.append(json.loads(await socket.recv())["t"])
        await socket.send(json.dumps({"t": "expired"}))
        if len(tokens) == 2:
            twice.set()
        await socket.wait_closed()

    async def token() -> str:
        return f"token {len(tokens)}"

    async with serve(server, "127.0.0.1", 0, subprotocols=[SUBPROTOCOL]) as listener:  # type: ignore[list-item]
        port = next(iter(listener.sockets)).getsockname()[1]
        task = asyncio.create_task(chatter(f"ws://127.0.0.1:{port}/", uuid4(), token, "seed"))
        await asyncio.wait_for(twice.wait(), 10)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert tokens[:2] == ["token 0", "token 1"]
    assert set(frames) <= {"say", "gift"}
