"""One stream's room on this node, as a core: who is here, and what its events change.

A room is loaded from the stores while its events already arrive: they wait, and are applied over
what was loaded. Events can be applied again without harm, so none is lost and none counts twice.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from chat.events import milliseconds
from chat.fanout import Outlet
from chat.frames import CODECS, Codec, Frame
from chat.history import RecentHistory
from chat.members import RoomInfo
from chat.moderation import Timeouts
from config.chat import ChatSettings


@dataclass(slots=True)
class ViewerCount:
    """The viewers of a room over all nodes, as far as this node knows.

    `local` here is the number of connections of this node.
    """

    elsewhere: int = 0
    reported: int = 0
    reported_at: float = float("-inf")
    shown: int = 0
    is_stale: bool = True

    def is_due(self, local: int, now: float, every_s: float) -> bool:
        """Whether the store should be told and asked."""
        return self.is_stale or local != self.reported or now - self.reported_at >= every_s

    def asking(self, local: int, now: float) -> None:
        """The store is being told `local`."""
        self.reported, self.reported_at, self.is_stale = local, now, False

    def answered(self, reported: int, total: int) -> int | None:
        """The store's total, in which `reported` are ours; returns it when it is news."""
        self.elsewhere = max(0, total - reported)
        if total == self.shown:
            return None
        self.shown = total
        return total


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the stores know of a room."""

    info: RoomInfo
    history: Iterable[Frame]
    timeouts: Mapping[UUID, int]


@dataclass(slots=True)
class Room:
    """The members of this node, the last events, the timeouts and the viewers."""

    stream_id: UUID
    settings: ChatSettings
    info: RoomInfo
    history: RecentHistory = field(init=False)
    timeouts: Timeouts = field(init=False)
    viewers: ViewerCount = field(default_factory=ViewerCount)
    outlets: dict[Codec, set[Outlet]] = field(init=False)
    empty_since: float | None = None
    _waiting: list[Frame] | None = None

    def __post_init__(self) -> None:
        self.history = RecentHistory(self.settings.history_size)
        self.timeouts = Timeouts(self.settings.max_timeouts_per_room)
        self.outlets = {codec: set() for codec in CODECS.values()}

    @property
    def key(self) -> str:
        """The room's name between nodes."""
        return str(self.stream_id)

    @property
    def members(self) -> int:
        """Connections of this node in the room."""
        return sum(map(len, self.outlets.values()))

    def join(self, codec: Codec, outlet: Outlet) -> None:
        """A connection enters; again is as once."""
        self.outlets[codec].add(outlet)
        self.empty_since = None

    def leave(self, codec: Codec, outlet: Outlet, now: float) -> None:
        """A connection leaves."""
        self.outlets[codec].discard(outlet)
        if not self.members:
            self.empty_since = now

    def load(self) -> None:
        """From now on events wait for what the stores hold."""
        self._waiting = []

    def loaded(self, loaded: Loaded) -> list[Frame]:
        """Take over what the stores hold; returns the events in it that were not here before."""
        waiting, self._waiting = self._waiting or [], None
        self.info = loaded.info
        news = self.history.replace(loaded.history)
        self.timeouts.replace(loaded.timeouts)
        for event in waiting:
            self.apply(event)
        return news

    def apply(self, event: Frame) -> bool:
        """Let an event change the room; True when members should see it."""
        effect = _EFFECTS.get(event.get("t", ""))
        if effect is None:
            return False
        is_shown = effect(self, event)
        if self._waiting is not None:
            self._waiting.append(event)
        return is_shown

    def joined_frame(self) -> Frame:
        """What a newcomer is shown."""
        return {
            "t": "joined",
            "stream_id": self.key,
            "viewers": self.viewers.elsewhere + self.members,
            "history": self.history.events(),
            "state": self.info.state,
        }


def _remember(room: Room, event: Frame) -> bool:
    return room.history.append(event)


def _forget(room: Room, event: Frame) -> bool:
    room.history.remove(event["message_id"])
    return True


def _silence(room: Room, event: Frame) -> bool:
    until = event["until"]
    until_ms = milliseconds(datetime.fromisoformat(until)) if until else 0
    room.timeouts.set(UUID(event["user_id"]), until_ms)
    return True


def _change_state(room: Room, event: Frame) -> bool:
    room.info = RoomInfo(room.stream_id, room.info.owner_id, event["state"])
    return True


def _recount(room: Room, event: Frame) -> bool:
    room.viewers.is_stale = True
    return False


_EFFECTS: dict[str, Callable[[Room, Frame], bool]] = {
    "message": _remember,
    "gift": _remember,
    "deleted": _forget,
    "timed_out": _silence,
    "stream": _change_state,
    "presence": _recount,
}
