"""What each request does: one handler a request type, each returns the answer's frame.

The requests passed the checks of `chat.protocol`. Handlers raise ChatRefusal or Disconnect; what
else a port raises becomes `unavailable` in `chat.connection`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from uuid_utils.compat import uuid7

from chat import events
from chat.counters import ChatCounters
from chat.errors import TimedOut, Unauthenticated, UnknownMessage, UnknownUser
from chat.frames import MSGPACK, Frame
from chat.hub import Hub
from chat.members import Member
from chat.moderation import check_target
from chat.ports import ChatPorts, Entry
from chat.requests import (
    Delete,
    Hello,
    Join,
    Leave,
    Ping,
    Request,
    Say,
    SendGift,
    TimeOut,
)
from chat.room import Room
from config.chat import ChatSettings


class Caller(Protocol):
    """The connection that asks."""

    @property
    def member(self) -> Member | None:
        """Who it is; None for a guest."""

    def begin_hello(self) -> float:
        """The time at which the check of a token begins."""

    def greet(self, member: Member | None, asked_at: float) -> None:
        """It is now this member's. Raises Disconnect."""

    def enter(self, room: Room) -> None:
        """Put it into a room."""

    def leave(self, stream_id: UUID) -> None:
        """Take it out of a room."""

    def room(self, stream_id: UUID) -> Room:
        """A room it is in."""


@dataclass(frozen=True, slots=True)
class Commands:
    """The handlers and what they work with."""

    settings: ChatSettings
    ports: ChatPorts
    hub: Hub
    counters: ChatCounters
    clock: Callable[[], datetime]

    async def perform(self, caller: Caller, request: Request) -> Frame:
        """The answer to a request."""
        return await HANDLERS[type(request)](self, caller, request)

    async def hello(self, caller: Caller, request: Hello) -> Frame:
        """Sign in."""
        asked_at = caller.begin_hello()
        member = None
        if request.token is not None:
            member = await self.ports.authenticator.authenticate(request.token)
        caller.greet(member, asked_at)
        return {
            "t": "welcome",
            "user": member and member.as_user(),
            "limits": {
                "max_frame_bytes": self.settings.max_frame_bytes,
                "max_text_chars": self.settings.max_text_chars,
                "messages_per_10_s": self.settings.messages_per_10_s,
            },
            "ping_s": self.settings.ping_interval_s,
        }

    async def ping(self, caller: Caller, request: Ping) -> Frame:
        """Show that the server is there."""
        return {"t": "pong"}

    async def join(self, caller: Caller, request: Join) -> Frame:
        """Enter a room."""
        room = await self.hub.open(request.stream_id)
        caller.enter(room)
        return room.joined_frame()

    async def leave(self, caller: Caller, request: Leave) -> Frame:
        """Leave a room."""
        caller.leave(request.stream_id)
        return {"t": "left", "stream_id": str(request.stream_id)}

    async def say(self, caller: Caller, request: Say) -> Frame:
        """Write a message; its writer too sees it only when it comes back over the bus."""
        member, room, now = _signed_in(caller), caller.room(request.stream_id), self.clock()
        until_ms = room.timeouts.until(member.user_id, events.milliseconds(now))
        if until_ms is not None:
            raise TimedOut(until=events.rfc3339(events.moment_at(until_ms)))
        message_id = uuid7()
        event = events.message(room.stream_id, message_id, member, request.text, now)
        await self.ports.history.post(
            Entry(room.key, str(message_id), events.milliseconds(now), MSGPACK.encode(event))
        )
        self.counters.messages += 1
        return {"t": "ok", "message_id": str(message_id)}

    async def gift(self, caller: Caller, request: SendGift) -> Frame:
        """Give a gift; the room sees it when the ledger says that it is posted."""
        receipt = await self.ports.gifts.send(
            member=_signed_in(caller),
            stream=caller.room(request.stream_id).info,
            request_id=request.request_id,
            gift_id=request.gift_id,
            count=request.count,
        )
        return {"t": "receipt", **receipt}

    async def delete(self, caller: Caller, request: Delete) -> Frame:
        """Take a message out."""
        event = events.deleted(request.stream_id, request.message_id, _signed_in(caller).user_id)
        was_there = await self.ports.history.remove(
            str(request.stream_id), str(request.message_id), MSGPACK.encode(event)
        )
        if not was_there:
            raise UnknownMessage
        return {"t": "ok"}

    async def time_out(self, caller: Caller, request: TimeOut) -> Frame:
        """Take a voice, or give it back."""
        room = caller.room(request.stream_id)
        roles = await self.ports.users.roles(request.user_id)
        if roles is None:
            raise UnknownUser
        check_target(request.user_id, roles, room.info.owner_id)
        until = self.clock() + timedelta(seconds=request.seconds) if request.seconds else None
        event = events.timed_out(room.stream_id, request.user_id, until)
        await self.ports.moderation.time_out(
            room.key,
            request.user_id,
            events.milliseconds(until) if until else 0,
            MSGPACK.encode(event),
        )
        return {"t": "ok"}


def _signed_in(caller: Caller) -> Member:
    if caller.member is None:
        raise Unauthenticated
    return caller.member


Handler: TypeAlias = Callable[[Commands, Caller, Any], Awaitable[Frame]]

HANDLERS: Mapping[type[Request], Handler] = MappingProxyType(
    {
        Hello: Commands.hello,
        Ping: Commands.ping,
        Join: Commands.join,
        Leave: Commands.leave,
        Say: Commands.say,
        SendGift: Commands.gift,
        Delete: Commands.delete,
        TimeOut: Commands.time_out,
    }
)
