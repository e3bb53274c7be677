"""The rooms of this node: opened with their first member, kept true by the bus, closed when empty.

The only place where rooms meet the stores. Whatever a store or the bus does, the members of other
rooms notice nothing.
"""

import asyncio
import logging
from typing import Final
from uuid import UUID

from chat import events
from chat.counters import ChatCounters
from chat.errors import ChatRefusal, CloseCode, Unavailable, UnknownStream
from chat.fanout import deliver
from chat.frames import MSGPACK, Frame
from chat.members import RoomInfo
from chat.ports import ChatPorts
from chat.registry import Registry
from chat.room import Loaded, Room
from config.chat import ChatSettings

log = logging.getLogger(__name__)

_REPORTS_PER_TTL: Final = 3
_CONCURRENT_LOADS: Final = 8


class Hub:
    """All rooms of this node. Implements BusListener."""

    def __init__(
        self,
        settings: ChatSettings,
        ports: ChatPorts,
        registry: Registry,
        counters: ChatCounters,
    ) -> None:
        self.rooms: dict[UUID, Room] = {}
        self._settings = settings
        self._ports = ports
        self._registry = registry
        self._counters = counters
        self._opening: dict[UUID, asyncio.Task[Room]] = {}
        self._missed_something = False

    async def open(self, stream_id: UUID) -> Room:
        """The room of a stream, loaded; join it before the next await.

        Raises UnknownStream or Unavailable.
        """
        while True:
            opening = self._opening.get(stream_id)
            if opening is None:
                room = self.rooms.get(stream_id)
                if room is not None:
                    return room
                opening = asyncio.create_task(self._open(stream_id))
                self._opening[stream_id] = opening
            # Shielded: one that gives up waiting must not end it for the others.
            await asyncio.shield(opening)

    async def _open(self, stream_id: UUID) -> Room:
        room: Room | None = None
        try:
            async with asyncio.timeout(self._settings.store_timeout_s):
                info = await self._existing(stream_id)
                room = Room(stream_id, self._settings, info, empty_since=_now())
                # Events are received from here on, so nothing falls between loading and hearing.
                self.rooms[stream_id] = room
                await self._ports.bus.subscribe(room.key)
                await self._load(room)
        except BaseException as error:
            if room is not None:
                await self._close([room])
            if isinstance(error, ChatRefusal | asyncio.CancelledError):
                raise
            log.warning(
                "a room can't be opened", extra={"stream_id": str(stream_id)}, exc_info=True
            )
            raise Unavailable from error
        finally:
            del self._opening[stream_id]
        return room

    async def _existing(self, stream_id: UUID) -> RoomInfo:
        info = await self._ports.streams.stream(stream_id)
        if info is None:
            raise UnknownStream
        return info

    async def _load(self, room: Room) -> list[Frame]:
        """Take over what the stores hold of a room; returns what was missed."""
        room.load()
        info, history, timeouts = await asyncio.gather(
            self._existing(room.stream_id),
            self._ports.history.last(room.key),
            self._ports.moderation.timeouts(room.key),
        )
        payloads = [MSGPACK.decode_event(payload) for payload in history]
        return room.loaded(Loaded(info, payloads, timeouts))

    async def _close(self, rooms: list[Room]) -> None:
        # Out of the table before the first await. Whoever joins meanwhile opens a new room, in a
        # task made after these, so the bus sees its subscription after their cancellation.
        for room in rooms:
            del self.rooms[room.stream_id]
        await asyncio.gather(*map(self._part_with, rooms))

    async def _part_with(self, room: Room) -> None:
        try:
            async with asyncio.timeout(self._settings.store_timeout_s):
                await self._ports.bus.unsubscribe(room.key)
                await self._ports.presence.report({room.key: 0}, _PRESENCE_SIGNAL)
        except Exception:
            log.warning("a room was left untidily", extra={"room": room.key}, exc_info=True)
        if (successor := self.rooms.get(room.stream_id)) is not None:
            successor.viewers.is_stale = True

    def received(self, room: str, payload: bytes) -> None:
        """BusListener: apply an event to its room and show it."""
        try:
            event = MSGPACK.decode_event(payload)
            if room == events.CONTROL_ROOM:
                self._control(event)
            elif (target := self.rooms.get(UUID(room))) is not None:
                self.show(target, event, payload)
        except Exception:  # a reader of the bus that ends would silence every room
            self._counters.bad_payloads += 1
            log.warning("a payload of the bus can't be read", extra={"room": room}, exc_info=True)

    def resumed(self) -> None:
        """BusListener: everything is loaded again at the next round."""
        self._missed_something = True

    def show(self, room: Room, event: Frame, payload: bytes | None = None) -> None:
        """Apply an event to a room and write it to its members, unless it is a repeat."""
        if room.apply(event):
            self._counters.deliveries += deliver(room.outlets, event, payload)

    def _control(self, event: Frame) -> None:
        if event["t"] == "disconnect":
            code = CloseCode(event["code"])
            self.expel(UUID(event["user_id"]), code)

    def expel(self, user_id: UUID, code: CloseCode) -> None:
        """End the connections of a user on this node."""
        self._registry.expel(user_id, code, "suspended or signed out", _now())

    async def round(self) -> None:
        """What is due about once a second: close empty rooms, reload, count viewers."""
        now = _now()
        await self._close([room for room in self.rooms.values() if self._is_deserted(room, now)])
        if self._missed_something:
            self._missed_something = False
            await self._reload()
        await self._count_viewers(now)

    def _is_deserted(self, room: Room, now: float) -> bool:
        return (
            room.empty_since is not None
            and room.stream_id not in self._opening
            and now - room.empty_since >= self._settings.room_linger_s
        )

    async def _reload(self) -> None:
        """Load every room again and show its members what they missed."""
        limit = asyncio.Semaphore(_CONCURRENT_LOADS)

        async def reload(room: Room) -> None:
            async with limit, asyncio.timeout(self._settings.store_timeout_s):
                for event in await self._load(room):
                    self._counters.deliveries += deliver(room.outlets, event)

        rooms = [room for room in self.rooms.values() if room.stream_id not in self._opening]
        outcomes = await asyncio.gather(*map(reload, rooms), return_exceptions=True)
        if any(isinstance(outcome, Exception) for outcome in outcomes):
            log.warning("rooms can't be loaded again yet")
            self._missed_something = True

    async def _count_viewers(self, now: float) -> None:
        every_s = self._settings.presence_ttl_s / _REPORTS_PER_TTL
        due = [
            (room, members)
            for room in self.rooms.values()
            if room.viewers.is_due(members := room.members, now, every_s)
        ]
        if not due:
            return
        for room, members in due:
            room.viewers.asking(members, now)
        counts = {room.key: members for room, members in due}
        try:
            async with asyncio.timeout(self._settings.store_timeout_s):
                totals = await self._ports.presence.report(counts, _PRESENCE_SIGNAL)
        except Exception:
            for room, _ in due:
                room.viewers.is_stale = True
            raise
        for room, members in due:
            total = room.viewers.answered(members, totals[room.key])
            if total is not None:
                event = events.viewers(room.stream_id, total)
                self._counters.deliveries += deliver(room.outlets, event)

    async def close(self) -> None:
        """Close every room."""
        for opening in tuple(self._opening.values()):
            opening.cancel()
        await asyncio.gather(*self._opening.values(), return_exceptions=True)
        await self._close(list(self.rooms.values()))


def _now() -> float:
    return asyncio.get_running_loop().time()


_PRESENCE_SIGNAL = MSGPACK.encode(events.presence_signal())
