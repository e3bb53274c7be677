"""Sessions: what keeps a user signed in, and the pure rules by which they begin, renew and end.

All sessions of one user are one value, at most `max_sessions` of them, oldest login first. A change
is a function from the value to the next one; a `SessionStore` applies it atomically.

The generation of a session counts how often its user's roles changed while it was open. Access
tokens carry the one they were issued in; one of an earlier generation has outdated roles and counts
as expired.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto
from hmac import compare_digest
from typing import Protocol, TypeAlias, TypeVar
from uuid import UUID

from identity.refresh import RefreshToken

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Session:
    """One login; the hashes are of its current refresh token (`identity.refresh`)."""

    session_id: UUID
    family_hash: str = field(repr=False)
    secret_hash: str = field(repr=False)
    generation: int
    expires_at: datetime


Sessions: TypeAlias = tuple[Session, ...]


class SessionStore(Protocol):
    """Where sessions are kept, by user."""

    async def read(self, user_id: UUID) -> Sessions:
        """The sessions of the user, expired ones perhaps among them. One round trip."""

    async def update(self, user_id: UUID, change: Callable[[Sessions], tuple[Sessions, T]]) -> T:
        """Replace the user's sessions by what `change` makes of them; returns its second value.

        Atomic: `change` is called again when another update came in between, so it must be pure.
        Raises IdentityBusy when that happens too often.
        """

    async def clear(self, user_id: UUID) -> None:
        """End all sessions of the user, whatever else is going on."""


class Rotation(Enum):
    """What became of a refresh token that was sent."""

    RENEWED = auto()
    UNKNOWN = auto()
    """No such session, or it has expired, or the token is not of its family. Nothing changes."""
    REUSED = auto()
    """The token was spent before: somebody has a copy. The session has ended."""


def find(sessions: Sessions, session_id: UUID, *, now: datetime) -> Session | None:
    """The session with this id, if it is alive."""
    return next((each for each in _alive(sessions, now) if each.session_id == session_id), None)


def opened(
    sessions: Sessions, token: RefreshToken, *, limit: int, expires_at: datetime, now: datetime
) -> Sessions:
    """With a new session for `token`; the oldest end where there would be more than `limit`."""
    session = Session(token.session_id, token.family_hash, token.secret_hash, 0, expires_at)
    return (*_alive(sessions, now), session)[-limit:]


def rotated(
    sessions: Sessions,
    spent: RefreshToken,
    successor: RefreshToken,
    *,
    expires_at: datetime,
    now: datetime,
) -> tuple[Sessions, Rotation]:
    """With `successor` in the place of `spent`, and what that came to."""
    held = find(sessions, spent.session_id, now=now)
    if held is None or not compare_digest(held.family_hash, spent.family_hash):
        return sessions, Rotation.UNKNOWN
    if not compare_digest(held.secret_hash, spent.secret_hash):
        return ended(sessions, held.session_id), Rotation.REUSED
    renewed = replace(held, secret_hash=successor.secret_hash, expires_at=expires_at)
    return tuple(renewed if each is held else each for each in sessions), Rotation.RENEWED


def ended(sessions: Sessions, session_id: UUID) -> Sessions:
    """Without the session with this id."""
    return tuple(each for each in sessions if each.session_id != session_id)


def outdated(sessions: Sessions) -> Sessions:
    """In the next generation: access tokens issued so far no longer count."""
    return tuple(replace(each, generation=each.generation + 1) for each in sessions)


def _alive(sessions: Sessions, now: datetime) -> Sessions:
    return tuple(each for each in sessions if now < each.expires_at)
