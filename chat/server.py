"""The chat of one node: what the composition root starts, stops and calls."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chat import events
from chat.commands import Commands
from chat.connection import Connection, Node
from chat.counters import ChatCounters
from chat.errors import CloseCode
from chat.frames import MSGPACK
from chat.gifts import GiftScreen
from chat.hub import Hub
from chat.ports import ChatPorts, Entry
from chat.protocol import UserRates
from chat.registry import Registry
from chat.sockets import Listener, Socket
from config.chat import ChatSettings
from ledger.events import LedgerEvent

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChatFigures:
    """What is, at this moment."""

    connections: int
    rooms: int
    members: int
    """Memberships: a connection in two rooms is two."""


class ChatServer:
    """Listener, rooms and background work. `counters` only grow; `figures` are of the moment."""

    def __init__(
        self, settings: ChatSettings, ports: ChatPorts, *, clock: Callable[[], datetime]
    ) -> None:
        self.counters = ChatCounters()
        self._settings = settings
        self._ports = ports
        self._registry = Registry(settings)
        self._gifts = GiftScreen(ports.gifts.face)
        self._hub = Hub(settings, ports, self._registry, self.counters)
        self._node = Node(
            Commands(settings, ports, self._hub, self.counters, clock),
            self._registry,
            UserRates(settings),
        )
        self._listener = Listener(settings, self._serve, self._count_end)
        self._rounds: asyncio.Task[None] | None = None
        self._is_stopping = asyncio.Event()

    @property
    def port(self) -> int:
        """The bound TCP port, once started."""
        return self._listener.port

    @property
    def figures(self) -> ChatFigures:
        """Connections, rooms and members of this node."""
        rooms = self._hub.rooms.values()
        return ChatFigures(len(self._registry), len(rooms), sum(room.members for room in rooms))

    async def start(self) -> None:
        """Connect to the bus and listen.

        Raises OSError when the port is taken, TimeoutError when the bus does not answer.
        """
        await self._ports.bus.start(self._hub)
        async with asyncio.timeout(self._settings.store_timeout_s):
            await self._ports.bus.subscribe(events.CONTROL_ROOM)
        await self._listener.start()
        self._rounds = asyncio.create_task(self._go_round())

    async def stop(self) -> None:
        """Tell every client 1001, leave every room, leave the bus; safe after a failed start."""
        await self._listener.stop()
        if self._rounds is not None:
            # Not cancelled: a round is short, and half a round leaves stores half written.
            self._is_stopping.set()
            await self._rounds
        await self._hub.close()
        await self._ports.bus.stop()

    async def publish_gift(self, event: LedgerEvent) -> None:
        """Show a gift in its room on this node. Every node is given every event of the ledger.

        What is no gift, or was given before, does nothing. Never raises: a room that misses a gift
        in its history is less than a reader that stops.
        """
        frame = self._gifts.frame(event)
        if frame is None:
            return
        entry = Entry(
            room=frame["stream_id"],
            key=frame["event_id"],
            at_ms=events.milliseconds(event.occurred_at),
            payload=MSGPACK.encode(frame),
        )
        try:
            # Kept before it is shown: a room that opens in between then has it from its history.
            async with asyncio.timeout(self._settings.store_timeout_s):
                await self._ports.history.keep(entry)
        except Exception:
            log.warning("a gift is missing in a history", extra={"key": entry.key}, exc_info=True)
        room = self._hub.rooms.get(UUID(entry.room))
        if room is not None:
            self._hub.show(room, frame, entry.payload)
        self.counters.gifts_shown += 1

    async def stream_state(
        self, stream_id: UUID, state: str, *, reconnect: bool = False, reason: str | None = None
    ) -> None:
        """Tell the room, on every node, that its stream is `live`, `interrupted` or `offline` (and
        why); with `reconnect`, that some who watch or publish it need a new session."""
        event = events.stream(stream_id, state, reconnect=reconnect, reason=reason)
        payload = MSGPACK.encode(event)
        await self._ports.bus.publish(str(stream_id), payload)

    async def disconnect_user(self, user_id: UUID, code: CloseCode = CloseCode.SIGNED_OUT) -> None:
        """End the connections of a user: here at once, on other nodes when they hear of it."""
        self._hub.expel(user_id, code)
        signal = MSGPACK.encode(events.disconnect_signal(user_id, code))
        await self._ports.bus.publish(events.CONTROL_ROOM, signal)

    async def _serve(self, socket: Socket) -> None:
        await Connection(socket, self._node).serve()

    def _count_end(self, code: CloseCode) -> None:
        self.counters.closed[code] += 1

    async def _go_round(self) -> None:
        while not self._is_stopping.is_set():
            try:
                await self._hub.round()
            except Exception:
                log.warning("a round of the chat failed", exc_info=True)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.viewers_interval_s):
                    await self._is_stopping.wait()
