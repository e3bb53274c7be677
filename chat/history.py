"""The last events of a room, as newcomers are shown them."""

from collections import OrderedDict
from collections.abc import Iterable

from chat.frames import Frame


def event_key(event: Frame) -> str:
    """The id that makes a repeated `message` or `gift` event one."""
    key: str = event["message_id"] if event["t"] == "message" else event["event_id"]
    return key


class RecentHistory:
    """At most `size` events, oldest first, each once."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._events: OrderedDict[str, Frame] = OrderedDict()

    def __len__(self) -> int:
        return len(self._events)

    def append(self, event: Frame) -> bool:
        """Add an event; False if it is there already."""
        key = event_key(event)
        if key in self._events:
            return False
        self._events[key] = event
        if len(self._events) > self._size:
            self._events.popitem(last=False)
        return True

    def remove(self, key: str) -> None:
        """Take the event with this id out, if it is there."""
        self._events.pop(key, None)

    def replace(self, events: Iterable[Frame]) -> list[Frame]:
        """Take over what the store holds; returns the events that were not here, in order."""
        before = set(self._events)
        self._events.clear()
        for event in events:
            self.append(event)
        return [event for key, event in self._events.items() if key not in before]

    def events(self) -> list[Frame]:
        """All of them, oldest first."""
        return list(self._events.values())
