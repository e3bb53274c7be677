"""Viewers who chat and give now and then, over the same WebSocket as everyone."""

import asyncio
import contextlib
import json
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

log = logging.getLogger(__name__)

SUBPROTOCOL = "sociallive.v1.json"
LINES = (
    "Hi everyone 👋",
    "That clock is smooth.",
    "How far behind live are you? I see no delay at all.",
    "Love the colours",
    "Greetings from Lisbon!",
    "First time here, this looks great",
    "Who else is on a phone?",
    "brb, coffee ☕",
    "Try sending a rose, it shows right away",
    "😂😂😂",
    "What does the studio look like?",
    "Good evening from Seoul",
)
GIFTS = {"rose": 0.6, "heart": 0.3, "confetti": 0.1, "rocket": 0.02}
"""Gifts by how often they are chosen."""
PAUSE_S = (6.0, 18.0)
GIFT_SHARE = 0.25
RECONNECT_S = 3.0

TokenSource = Callable[[], Awaitable[str]]


async def chatter(chat_url: str, stream_id: UUID, token: TokenSource, seed: str) -> None:
    """One viewer, until cancelled; connects again when the connection or the token ends."""
    dice = random.Random(seed)  # noqa: S311 - what a bot says is no secret
    while True:
        try:
            async with connect(chat_url, subprotocols=[SUBPROTOCOL]) as socket:  # type: ignore[list-item]
                await _converse(socket, stream_id, await token(), dice)
        except (OSError, WebSocketException, _SignedOut) as error:
            log.debug("a demo viewer connects again", extra={"cause": repr(error)})
        await asyncio.sleep(RECONNECT_S)


class _SignedOut(Exception):
    """The server no longer takes this connection's token."""


async def _converse(
    socket: ClientConnection, stream_id: UUID, token: str, dice: random.Random
) -> None:
    await _send(socket, t="hello", token=token)
    await _send(socket, t="join", stream_id=str(stream_id))
    while True:
        await _listen(socket, dice.uniform(*PAUSE_S))
        await _send(socket, **_act(dice), stream_id=str(stream_id))


async def _listen(socket: ClientConnection, seconds: float) -> None:
    """Read what comes for that long. Raises _SignedOut."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            async for frame in socket:
                if json.loads(frame)["t"] == "expired":
                    raise _SignedOut


def _act(dice: random.Random) -> dict[str, Any]:
    """Say something or give something."""
    if dice.random() >= GIFT_SHARE:
        return {"t": "say", "text": dice.choice(LINES)}
    (gift_id,) = dice.choices([*GIFTS], [*GIFTS.values()])
    count = dice.randint(1, 3)
    return {"t": "gift", "request_id": str(uuid4()), "gift_id": gift_id, "count": count}


async def _send(socket: ClientConnection, **frame: Any) -> None:
    await socket.send(json.dumps(frame))
