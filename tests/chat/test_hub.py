"""Rooms open once, close when deserted, and survive what the stores do."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from chat import events
from chat.counters import ChatCounters
from chat.errors import CloseCode, Unavailable, UnknownStream
from chat.frames import JSON, MSGPACK, Frame
from chat.hub import Hub
from chat.members import RoomInfo
from chat.ports import ChatPorts
from chat.registry import Registry
from config.chat import ChatSettings
from tests.chat.test_room import MESSAGES, said


class Stores:
    """Every port that a hub uses, in memory; `gate` holds back what is read."""

    def __init__(self) -> None:
        self.streams = {uuid4(): uuid4()}
        self.stream_id = next(iter(self.streams))
        self.subscribed: list[str] = []
        self.history: list[bytes] = []
        self.elsewhere = 0
        self.reports: list[Mapping[str, int]] = []
        self.reads = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.is_broken = False

    async def stream(self, stream_id: UUID) -> RoomInfo | None:
        self.reads += 1
        await self._reach()
        owner_id = self.streams.get(stream_id)
        return owner_id and RoomInfo(stream_id, owner_id, "live")

    async def subscribe(self, room: str) -> None:
        self.subscribed.append(room)

    async def unsubscribe(self, room: str) -> None:
        self.subscribed.remove(room)

    async def last(self, room: str) -> Sequence[bytes]:
        await self._reach()
        return self.history

    async def timeouts(self, room: str) -> Mapping[UUID, int]:
        return {}

    async def report(self, counts: Mapping[str, int], signal: bytes) -> Mapping[str, int]:
        await self._reach()
        self.reports.append(counts)
        return {room: count + self.elsewhere for room, count in counts.items()}

    async def _reach(self) -> None:
        await self.gate.wait()
        if self.is_broken:
            raise ConnectionError("the store is down")


class Recorder:
    def __init__(self) -> None:
        self.messages: list[bytes] = []

    def write(self, message: bytes) -> None:
        self.messages.append(message)


@pytest.fixture
def stores() -> Stores:
    return Stores()


def hub_over(stores: Any, counters: ChatCounters | None = None, **settings: Any) -> Hub:
    chosen = ChatSettings(**{"room_linger_s": 0.0, "store_timeout_s": 2.0, **settings})
    ports = ChatPorts(*[stores] * 8)
    return Hub(chosen, ports, Registry(chosen), counters or ChatCounters())


async def test_many_who_come_at_once_load_the_room_once(stores: Stores) -> None:
    hub = hub_over(stores)
    stores.gate.clear()
    joins = [asyncio.create_task(hub.open(stores.stream_id)) for _ in range(50)]
    await asyncio.sleep(0)
    joins[0].cancel()
    stores.gate.set()
    rooms = await asyncio.gather(*joins[1:])
    assert len(set(map(id, rooms))) == 1
    assert stores.reads == 2
    assert stores.subscribed == [str(stores.stream_id)]
    assert joins[0].cancelled()


async def test_events_that_come_while_a_room_loads_are_in_it(stores: Stores) -> None:
    hub, key = hub_over(stores), str(stores.stream_id)
    stores.history = [MSGPACK.encode(said(MESSAGES[number])) for number in (0, 1)]
    opening = asyncio.create_task(hub.open(stores.stream_id))
    while not stores.subscribed:
        await asyncio.sleep(0)
    stores.gate.clear()
    hub.received(key, MSGPACK.encode(said(MESSAGES[1])))
    hub.received(key, MSGPACK.encode(said(MESSAGES[2])))
    hub.received(key, MSGPACK.encode(events.deleted(stores.stream_id, MESSAGES[0], uuid4())))
    stores.gate.set()
    room = await opening
    ids = [event["message_id"] for event in room.history.events()]
    assert ids == [str(MESSAGES[1]), str(MESSAGES[2])]


async def test_what_can_not_be_opened_leaves_nothing(stores: Stores) -> None:
    hub = hub_over(stores, store_timeout_s=0.05)
    with pytest.raises(UnknownStream):
        await hub.open(uuid4())
    stores.is_broken = True
    with pytest.raises(Unavailable):
        await hub.open(stores.stream_id)
    stores.is_broken = False
    stores.gate.clear()
    with pytest.raises(Unavailable):
        await hub.open(stores.stream_id)
    assert (hub.rooms, stores.subscribed) == ({}, [])
    stores.gate.set()
    assert await hub.open(stores.stream_id)


async def test_a_deserted_room_is_closed_and_opens_again(stores: Stores) -> None:
    hub, outlet = hub_over(stores), Recorder()
    room = await hub.open(stores.stream_id)
    room.join(JSON, outlet)
    await hub.round()
    assert hub.rooms
    room.leave(JSON, outlet, now=0.0)
    await hub.round()
    assert (hub.rooms, stores.subscribed) == ({}, [])
    assert stores.reports[-1] == {room.key: 0}
    assert await hub.open(stores.stream_id) is not room


async def test_a_room_lingers_for_those_who_come_back(stores: Stores) -> None:
    hub = hub_over(stores, room_linger_s=1000)
    room = await hub.open(stores.stream_id)
    await hub.round()
    assert await hub.open(stores.stream_id) is room


async def test_viewers_are_shown_once_for_each_change(stores: Stores) -> None:
    hub, outlet = hub_over(stores), Recorder()
    room = await hub.open(stores.stream_id)
    room.join(JSON, outlet)
    for elsewhere in (4, 4, 5):
        stores.elsewhere = elsewhere
        hub.received(room.key, MSGPACK.encode(events.presence_signal()))
        await hub.round()
    counts = [message.rpartition(b'"count":')[2] for message in outlet.messages]
    assert counts == [b"5}", b"6}"]


async def test_after_a_failed_round_the_next_one_counts(stores: Stores) -> None:
    hub = hub_over(stores)
    room = await hub.open(stores.stream_id)
    room.join(JSON, Recorder())
    stores.is_broken = True
    with pytest.raises(ConnectionError):
        await hub.round()
    stores.is_broken = False
    await hub.round()
    assert stores.reports == [{room.key: 1}]


async def test_what_was_missed_is_shown_when_the_bus_is_back(stores: Stores) -> None:
    hub, outlet = hub_over(stores), Recorder()
    room = await hub.open(stores.stream_id)
    room.join(JSON, outlet)
    hub.show(room, said(MESSAGES[0]))
    stores.history = [MSGPACK.encode(said(message_id)) for message_id in MESSAGES[:3]]
    stores.is_broken = True
    hub.resumed()
    with pytest.raises(ConnectionError):
        await hub.round()
    stores.is_broken = False
    await hub.round()
    hub.received(room.key, MSGPACK.encode(said(MESSAGES[2])))
    shown = [message for message in outlet.messages if b'"t":"message"' in message]
    assert [str(id).encode() in message for id, message in zip(MESSAGES, shown, strict=False)] == [
        True
    ] * 3


@pytest.mark.parametrize(
    "payload",
    [b"", b"\xc1", b"\xc0", MSGPACK.encode({"t": "deleted"}), MSGPACK.encode({"t": "timed_out"})],
)
async def test_unreadable_payloads_are_counted_and_passed_over(
    payload: bytes, stores: Stores
) -> None:
    counters = ChatCounters()
    hub = hub_over(stores, counters)
    room = await hub.open(stores.stream_id)
    hub.received(room.key, payload)
    hub.received("no room at all", payload)
    hub.received(events.CONTROL_ROOM, MSGPACK.encode({"t": "disconnect", "code": 1}))
    assert counters.bad_payloads == 3
    hub.received(str(uuid4()), MSGPACK.encode(said(MESSAGES[0])))
    hub.received(events.CONTROL_ROOM, MSGPACK.encode({"t": "of a newer server"}))
    assert counters.bad_payloads == 3


async def test_closing_ends_what_is_being_opened(stores: Stores) -> None:
    hub = hub_over(stores)
    await hub.open(stores.stream_id)
    stores.streams[other := uuid4()] = uuid4()
    stores.gate.clear()
    opening = asyncio.create_task(hub.open(other))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    closing = asyncio.create_task(hub.close())
    await asyncio.wait([opening])
    stores.gate.set()
    await closing
    assert opening.cancelled()
    assert (hub.rooms, stores.subscribed) == ({}, [])


def control_frame(user_id: UUID) -> Frame:
    return events.disconnect_signal(user_id, CloseCode.SIGNED_OUT)


async def test_the_control_room_ends_connections(stores: Stores) -> None:
    ends: list[CloseCode] = []

    class Guest:
        def end(self, code: CloseCode, reason: str) -> None:
            ends.append(code)

    settings = ChatSettings()
    registry, user_id, guest = Registry(settings), uuid4(), Guest()
    registry.admit(guest, "a")
    registry.identify(guest, user_id, 0.0)
    hub = Hub(settings, ChatPorts(*[stores] * 8), registry, ChatCounters())  # type: ignore[list-item]
    for room in (str(user_id), events.CONTROL_ROOM):
        hub.received(room, MSGPACK.encode(control_frame(user_id)))
    assert ends == [CloseCode.SIGNED_OUT]
