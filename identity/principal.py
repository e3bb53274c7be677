"""Who calls: what an access token says after everything about it was checked."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from identity.roles import Role


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in caller; `expires_at` (UTC) is when the access token runs out."""

    user_id: UUID
    display_name: str
    roles: frozenset[Role]
    session_id: UUID
    expires_at: datetime
