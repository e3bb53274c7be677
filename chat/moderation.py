"""Who may moderate whom, and who is timed out in a room."""

from collections.abc import Mapping
from uuid import UUID

from chat.errors import Forbidden
from chat.members import Member

MODERATING_ROLES = frozenset({"moderator", "admin"})


def may_moderate(member: Member, owner_id: UUID) -> bool:
    """Moderators and admins in every room, the owner of a stream in its room."""
    return member.user_id == owner_id or not MODERATING_ROLES.isdisjoint(member.roles)


def check_target(user_id: UUID, roles: frozenset[str], owner_id: UUID) -> None:
    """Raises Forbidden for whom nobody may time out: admins, and the owner in their own room."""
    if user_id == owner_id:
        raise Forbidden("The stream's owner can't be timed out.")
    if "admin" in roles:
        raise Forbidden("Admins can't be timed out.")


class Timeouts:
    """The users without a voice in one room, until when each, in Unix milliseconds.

    Holds at most `capacity` users; above it the timeout that ends soonest is forgotten.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._until_ms: dict[UUID, int] = {}

    def __len__(self) -> int:
        return len(self._until_ms)

    def set(self, user_id: UUID, until_ms: int) -> None:
        """Time `user_id` out until `until_ms`; 0 gives the voice back."""
        self._until_ms.pop(user_id, None)
        if until_ms:
            self._until_ms[user_id] = until_ms
        if len(self._until_ms) > self._capacity:
            del self._until_ms[min(self._until_ms, key=self._until_ms.__getitem__)]

    def replace(self, until_ms: Mapping[UUID, int]) -> None:
        """Forget all, then set these."""
        self._until_ms.clear()
        for user_id, until in until_ms.items():
            self.set(user_id, until)

    def until(self, user_id: UUID, now_ms: int) -> int | None:
        """When the timeout of `user_id` ends; None without one."""
        until_ms = self._until_ms.get(user_id)
        if until_ms is None:
            return None
        if until_ms <= now_ms:
            del self._until_ms[user_id]
            return None
        return until_ms
