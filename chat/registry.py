"""Who is connected to this node, and whether one more may be."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from chat.errors import CloseCode, Disconnect
from config.chat import ChatSettings

_REMEMBERED_EXPULSIONS = 10_000


class Guest(Protocol):
    """A connection, as the registry sees it."""

    def end(self, code: CloseCode, reason: str) -> None:
        """Close it."""


@dataclass(slots=True)
class _Entry:
    address: str
    user_id: UUID | None = None


class Registry:
    """The connections of this node by address and by user."""

    def __init__(self, settings: ChatSettings) -> None:
        self._settings = settings
        self._entries: dict[Guest, _Entry] = {}
        self._by_address: dict[str, int] = {}
        self._by_user: dict[UUID, set[Guest]] = {}
        self._expelled_at: OrderedDict[UUID, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def admit(self, guest: Guest, address: str) -> None:
        """Count a new connection. Raises Disconnect when there are too many."""
        if len(self._entries) >= self._settings.max_connections:
            raise Disconnect(CloseCode.TOO_MANY_CONNECTIONS, "the server is full")
        of_address = self._by_address.get(address, 0)
        if of_address >= self._settings.max_connections_per_address:
            raise Disconnect(CloseCode.TOO_MANY_CONNECTIONS, "too many from this address")
        self._by_address[address] = of_address + 1
        self._entries[guest] = _Entry(address)

    def release(self, guest: Guest) -> None:
        """A connection is gone; nothing happens for one that was not admitted."""
        if guest not in self._entries:
            return
        self.identify(guest, None, 0.0)
        address = self._entries.pop(guest).address
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    def identify(self, guest: Guest, user_id: UUID | None, asked_at: float) -> None:
        """A connection is now this user's, or nobody's.

        `asked_at` is when the token's check began. Raises Disconnect when the user has too many
        connections, or was expelled since then. Nothing happens for one that was released.
        """
        entry = self._entries.get(guest)
        if entry is None or entry.user_id == user_id:
            return
        if user_id is not None:
            self._check_user(user_id, asked_at)
        if entry.user_id is not None:
            before = self._by_user[entry.user_id]
            before.remove(guest)
            if not before:
                del self._by_user[entry.user_id]
        if user_id is not None:
            self._by_user.setdefault(user_id, set()).add(guest)
        entry.user_id = user_id

    def expel(self, user_id: UUID, code: CloseCode, reason: str, now: float) -> None:
        """End every connection of a user, those included whose token is being checked."""
        self._expelled_at[user_id] = now
        self._expelled_at.move_to_end(user_id)
        if len(self._expelled_at) > _REMEMBERED_EXPULSIONS:
            self._expelled_at.popitem(last=False)
        for guest in tuple(self._by_user.get(user_id, ())):
            guest.end(code, reason)

    def _check_user(self, user_id: UUID, asked_at: float) -> None:
        if self._expelled_at.get(user_id, float("-inf")) >= asked_at:
            raise Disconnect(CloseCode.SIGNED_OUT, "suspended or signed out")
        if len(self._by_user.get(user_id, ())) >= self._settings.max_connections_per_user:
            raise Disconnect(CloseCode.TOO_MANY_CONNECTIONS, "too many connections of this user")
