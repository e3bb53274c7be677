"""A chat client written from docs/PROTOCOL.md alone, JSON subprotocol."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

PATIENCE_S = 10


class ChatClient:
    """One connection; answers are matched by `id`, everything else is kept as an event."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._events: list[dict[str, Any]] = []
        self._changed = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    async def ask(self, t: str, **fields: Any) -> dict[str, Any]:
        """The answer to a request."""
        number = next(self._ids)
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"t": t, "id": number, **fields}))
        return await asyncio.wait_for(self._answers[number], PATIENCE_S)

    async def event(self, t: str, **fields: Any) -> dict[str, Any]:
        """The first event of that type with these fields, past or to come; it is taken out."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            while True:
                for event in self._events:
                    if event["t"] == t and fields.items() <= event.items():
                        self._events.remove(event)
                        return event
                await self._changed.wait()

    async def closed(self) -> None:
        """Return when the server has ended the connection."""
        await self._socket.wait_closed()

    @property
    def close_code(self) -> int | None:
        return self._socket.close_code

    async def close(self) -> None:
        await self._socket.close()
        await asyncio.gather(self._reader, return_exceptions=True)

    async def _read(self) -> None:
        async for frame in self._socket:
            message = json.loads(frame)
            answer = self._answers.pop(message["id"], None) if "id" in message else None
            if answer is not None:
                answer.set_result(message)
                continue
            async with self._changed:
                self._events.append(message)
                self._changed.notify_all()


@asynccontextmanager
async def chatting(url: str, token: str | None = None) -> AsyncIterator[ChatClient]:
    """A connection that has said hello, as a guest where no token is given."""
    async with connect(url, subprotocols=["sociallive.v1.json"]) as socket:  # type: ignore[list-item]
        client = ChatClient(socket)
        hello = {} if token is None else {"token": token}
        assert (await client.ask("hello", **hello))["t"] == "welcome"
        try:
            yield client
        finally:
            await client.close()
