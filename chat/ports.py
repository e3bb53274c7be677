"""What the chat needs of others. The server implements these; the chat knows no store.

Rooms are named by strings here: a stream's id, or CONTROL_ROOM. A payload is the MessagePack of an
event. A write that the room's nodes must hear of is published in the same step as it is kept, so
that nothing is kept and not heard, or heard and not kept.

Implementations raise what they like when their store fails; the chat answers `unavailable`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from chat.members import GiftFace, Member, RoomInfo


class Authenticator(Protocol):
    """Who a token belongs to."""

    async def authenticate(self, token: str) -> Member:
        """Raises InvalidToken, ExpiredToken or Suspended of chat.errors."""


class UserDirectory(Protocol):
    """What users are, also those who are not connected."""

    async def roles(self, user_id: UUID) -> frozenset[str] | None:
        """The roles of a user; None for an unknown one."""


class StreamDirectory(Protocol):
    """Which streams there are."""

    async def stream(self, stream_id: UUID) -> RoomInfo | None:
        """None for an unknown one."""


class GiftDesk(Protocol):
    """Where gifts are paid."""

    async def send(
        self, *, member: Member, stream: RoomInfo, request_id: UUID, gift_id: str, count: int
    ) -> Mapping[str, Any]:
        """The fields of the protocol's GiftReceipt. Raises GiftRefused of chat.errors."""

    def face(self, gift_id: str) -> GiftFace | None:
        """How a gift looks; None when it is no longer in the catalogue."""


class BusListener(Protocol):
    """Who hears what is published."""

    def received(self, room: str, payload: bytes) -> None:
        """Something was published to a room this node subscribed to."""

    def resumed(self) -> None:
        """The bus works again after a time in which something may have been missed."""


class Bus(Protocol):
    """Publishes to all nodes that subscribed to a room, this one included, in one order for all."""

    async def start(self, listener: BusListener) -> None:
        """Connect; from now on the listener is called in the event loop's thread."""

    async def stop(self) -> None:
        """Disconnect."""

    async def publish(self, room: str, payload: bytes) -> None:
        """Send to every subscriber."""

    async def subscribe(self, room: str) -> None:
        """Returns when everything published from now on will be received."""

    async def unsubscribe(self, room: str) -> None:
        """Receive no more of this room."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A `message` or `gift` event for the history."""

    room: str
    key: str
    """The id that makes a repeat of it one."""
    at_ms: int
    """Unix milliseconds; the order of the history."""
    payload: bytes


class History(Protocol):
    """The last events of every room."""

    async def post(self, entry: Entry) -> None:
        """Keep an event and publish it."""

    async def keep(self, entry: Entry) -> None:
        """Keep an event without publishing it; does nothing when its key is there already."""

    async def remove(self, room: str, key: str, announcement: bytes) -> bool:
        """Take an event out and publish the announcement; False, unheard, when it is not there."""

    async def last(self, room: str) -> Sequence[bytes]:
        """The payloads that a newcomer is shown, oldest first."""


class ModerationStore(Protocol):
    """Who is timed out, in every room."""

    async def time_out(self, room: str, user_id: UUID, until_ms: int, announcement: bytes) -> None:
        """Keep that a user is timed out until then (Unix milliseconds; 0: no longer), publish."""

    async def timeouts(self, room: str) -> Mapping[UUID, int]:
        """The users timed out in a room, with the end of each in Unix milliseconds."""


class Presence(Protocol):
    """How many viewers every room has, over all nodes. What a dead node reported runs out."""

    async def report(self, counts: Mapping[str, int], signal: bytes) -> Mapping[str, int]:
        """Report this node's viewers of some rooms; returns those of all nodes.

        Publishes the signal to rooms for which this node reported another number before.
        """


@dataclass(frozen=True, slots=True)
class ChatPorts:
    """All of them."""

    authenticator: Authenticator
    users: UserDirectory
    streams: StreamDirectory
    gifts: GiftDesk
    bus: Bus
    history: History
    moderation: ModerationStore
    presence: Presence
