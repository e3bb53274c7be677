"""Gifts on screen: what the ledger has posted becomes an event of the room, once."""

from collections import OrderedDict
from collections.abc import Callable
from uuid import UUID

from chat import events
from chat.frames import Frame
from chat.members import GiftFace
from ledger.events import GiftSent, LedgerEvent


class GiftScreen:
    """Turns the ledger's events, delivered at least once, into frames.

    The last `capacity` events are remembered; a repeat older than these is told apart only by the
    room's history.
    """

    def __init__(self, face: Callable[[str], GiftFace | None], capacity: int = 10_000) -> None:
        self._face = face
        self._capacity = capacity
        self._seen: OrderedDict[UUID, None] = OrderedDict()

    def frame(self, event: LedgerEvent) -> Frame | None:
        """The frame that shows an event; None for a repeat and for what is no gift."""
        if not isinstance(event.data, GiftSent) or event.event_id in self._seen:
            return None
        self._seen[event.event_id] = None
        if len(self._seen) > self._capacity:
            self._seen.popitem(last=False)
        gift_id = event.data.gift_id
        return events.gift(event, event.data, self._face(gift_id) or GiftFace(gift_id, "🎁"))
