"""One connection: the shell around ChatProtocol.

Requests are served one after the other, so answers come in the order of the questions; whatever
one waits for, other connections go on.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from chat.commands import Commands
from chat.errors import ChatRefusal, CloseCode, Disconnect, Unavailable
from chat.fanout import Outlet, websocket_frame
from chat.frames import Codec, Frame
from chat.members import Member
from chat.protocol import (
    ChatProtocol,
    Close,
    Perform,
    Send,
    SignOut,
    UserRates,
    answer,
    refused,
)
from chat.registry import Registry
from chat.requests import Hello, Request
from chat.room import Room

log = logging.getLogger(__name__)


class Peer(Outlet, Protocol):
    """The client's WebSocket."""

    when_ending: Callable[[], None]
    """Called when `end` begins its work, whoever called it."""

    @property
    def codec(self) -> Codec:
        """How its frames are encoded."""

    def client(self) -> str:
        """What connections are counted by: an address or a network."""

    async def receive(self) -> str | bytes | None:
        """The next message; None when the connection is over."""

    def end(self, code: CloseCode, reason: str) -> None:
        """Start to close it; again does nothing."""


@dataclass(frozen=True, slots=True)
class Node:
    """What all connections of this node share."""

    commands: Commands
    registry: Registry
    user_rates: UserRates


class Connection:
    """A client from its handshake to its end. Implements Caller and Guest."""

    def __init__(self, socket: Peer, node: Node) -> None:
        self._socket = socket
        self._node = node
        self._commands = node.commands
        self._counters = node.commands.counters
        self._loop = asyncio.get_running_loop()
        self._rooms: dict[UUID, Room] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._is_over = False
        socket.when_ending = self._forget
        self._protocol = ChatProtocol(
            socket.codec, node.commands.settings, node.user_rates, self._loop.time()
        )

    async def serve(self) -> None:
        """Returns when the connection is over."""
        try:
            self._node.registry.admit(self, self._socket.client())
            self._watch_deadline()
            while not self._is_over and (data := await self._socket.receive()) is not None:
                self._counters.frames_in += 1
                for action in self._protocol.receive(data, self._loop.time()):
                    if isinstance(action, Perform):
                        await self._perform(action)
                    else:
                        self._apply(action)
                self._watch_deadline()
        except Disconnect as end:
            self.end(end.code, end.reason)
        finally:
            self._forget()

    def end(self, code: CloseCode, reason: str) -> None:
        """Guest: close it."""
        self._forget()
        self._socket.end(code, reason)

    @property
    def member(self) -> Member | None:
        """Caller: who it is."""
        return self._protocol.member

    def begin_hello(self) -> float:
        """Caller: now."""
        return self._loop.time()

    def greet(self, member: Member | None, asked_at: float) -> None:
        """Caller: it is this member's from now on."""
        user_id, expires_at = None, 0.0
        if member is not None:
            user_id = member.user_id
            left = member.expires_at - self._commands.clock()
            expires_at = self._loop.time() + left.total_seconds()
        self._node.registry.identify(self, user_id, asked_at)
        self._protocol.greet(member, expires_at)

    def enter(self, room: Room) -> None:
        """Caller: enter a room."""
        room.join(self._socket.codec, self._socket)
        self._rooms[room.stream_id] = room
        self._protocol.rooms[room.stream_id] = room.info.owner_id

    def leave(self, stream_id: UUID) -> None:
        """Caller: leave a room."""
        del self._protocol.rooms[stream_id]
        room = self._rooms.pop(stream_id)
        room.leave(self._socket.codec, self._socket, self._loop.time())

    def room(self, stream_id: UUID) -> Room:
        """Caller: a room it is in."""
        return self._rooms[stream_id]

    def _apply(self, action: Send | SignOut | Close) -> None:
        match action:
            case Send(frame):
                self._send(frame)
            case SignOut():
                self._node.registry.identify(self, None, 0.0)
            case Close(code, reason):
                self.end(code, reason)

    async def _perform(self, action: Perform) -> None:
        try:
            frame = await self._answer_to(action.request)
        except ChatRefusal as refusal:
            if isinstance(action.request, Hello):
                self._protocol.decline()
            frame = refused(refusal)
        self._send(answer(frame, action.request_id))

    async def _answer_to(self, request: Request) -> Frame:
        try:
            async with asyncio.timeout(self._commands.settings.store_timeout_s):
                return await self._commands.perform(self, request)
        except (ChatRefusal, Disconnect):
            raise
        except Exception as error:
            kind = type(request).__name__
            log.warning("a request can't be served", extra={"request": kind}, exc_info=True)
            raise Unavailable from error

    def _send(self, frame: Frame) -> None:
        if frame["t"] == "refused":
            self._counters.refused[frame["code"]] += 1
        codec = self._socket.codec
        self._socket.write(websocket_frame(codec.opcode, codec.encode(frame)))

    def _watch_deadline(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._protocol.deadline
        if deadline is not None and not self._is_over:
            self._timer = self._loop.call_at(deadline, self._reach_deadline)

    def _reach_deadline(self) -> None:
        for action in self._protocol.poll(self._loop.time()):
            self._apply(action)
        self._watch_deadline()

    def _forget(self) -> None:
        """Out of every room and count, at once: the closing handshake may take its time."""
        self._is_over = True
        self._watch_deadline()
        for stream_id in tuple(self._rooms):
            self.leave(stream_id)
        self._node.registry.release(self)
