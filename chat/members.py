"""Who is in a room, and what room it is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Member:
    """A signed-in user of one connection."""

    user_id: UUID
    name: str
    roles: frozenset[str]
    expires_at: datetime
    """When the access token runs out; aware."""

    def as_user(self) -> dict[str, Any]:
        """As `user` of `welcome` and `message` frames."""
        return {"user_id": str(self.user_id), "name": self.name, "roles": sorted(self.roles)}


@dataclass(frozen=True, slots=True)
class RoomInfo:
    """What the catalogue knows of a stream."""

    stream_id: UUID
    owner_id: UUID
    state: str
    """`live`, `interrupted` or `offline`."""


@dataclass(frozen=True, slots=True)
class GiftFace:
    """How a gift looks."""

    name: str
    emoji: str
