"""Users in PostgreSQL, the only place of identity that knows asyncpg."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import asyncpg

from config.sql import load_queries
from identity.errors import EmailTaken, UnknownUser
from identity.registration import fold
from identity.roles import Role
from identity.users import User, UserStatus

_SQL = load_queries("identity", "sql/users.sql")

# No stored e-mail or name has it (it is not printable), so every word with a prefix sorts below
# the prefix followed by it.
_LAST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a login is checked against."""

    user_id: UUID
    password_hash: str = field(repr=False)


class UserStore:
    """Reads and writes of single rows; every method is one statement."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def insert(
        self,
        *,
        user_id: UUID,
        email: str,
        password_hash: str,
        display_name: str,
        roles: Collection[Role],
        now: datetime,
    ) -> User:
        """The new user. Raises EmailTaken."""
        row = await self._pool.fetchrow(
            _SQL["insert"],
            user_id,
            email,
            password_hash,
            display_name,
            fold(display_name),
            sorted(roles),
            now,
        )
        if row is None:
            raise EmailTaken
        return _user(row)

    async def user(self, user_id: UUID) -> User:
        """Raises UnknownUser."""
        return _known(await self._pool.fetchrow(_SQL["by_id"], user_id))

    async def user_by_email(self, email: str) -> User:
        """Raises UnknownUser. `email` is normalised."""
        return _known(await self._pool.fetchrow(_SQL["by_email"], email))

    async def credentials(self, email: str) -> Credentials | None:
        """Those of the account with this normalised e-mail."""
        row = await self._pool.fetchrow(_SQL["credentials"], email)
        return None if row is None else Credentials(row["user_id"], row["password_hash"])

    async def names(self, user_ids: Collection[UUID]) -> dict[UUID, str]:
        """Display names of those that exist."""
        rows = await self._pool.fetch(_SQL["names"], list(user_ids))
        return {row["user_id"]: row["display_name"] for row in rows}

    async def page(self, *, before: UUID | None, limit: int) -> list[User]:
        """The newest users that are older than user `before`."""
        return [_user(row) for row in await self._pool.fetch(_SQL["page"], before, limit)]

    async def search(self, prefix: str, *, before: UUID | None, limit: int) -> list[User]:
        """As `page`, of those whose e-mail or display name starts with `prefix`, which is folded.

        A range of the index and no pattern: nothing in a prefix has a meaning of its own.
        """
        last = prefix + _LAST_CHARACTER
        rows = await self._pool.fetch(_SQL["search"], before, limit, prefix, last)
        return [_user(row) for row in rows]

    async def set_status(self, user_id: UUID, status: UserStatus, *, now: datetime) -> User:
        """The changed user. Raises UnknownUser."""
        return _known(await self._pool.fetchrow(_SQL["set_status"], user_id, status, now))

    async def set_roles(self, user_id: UUID, roles: Collection[Role], *, now: datetime) -> User:
        """The changed user. Raises UnknownUser."""
        return _known(await self._pool.fetchrow(_SQL["set_roles"], user_id, sorted(roles), now))

    async def replace_hash(self, held: Credentials, password_hash: str, *, now: datetime) -> None:
        """Puts a new hash in the place of the one that was read, unless it changed meanwhile."""
        await self._pool.execute(
            _SQL["replace_hash"], held.user_id, held.password_hash, password_hash, now
        )


def _known(row: asyncpg.Record | None) -> User:
    if row is None:
        raise UnknownUser
    return _user(row)


def _user(row: asyncpg.Record) -> User:
    return User(
        user_id=row["user_id"],
        email=row["email"],
        display_name=row["display_name"],
        roles=frozenset(map(Role, row["roles"])),
        status=UserStatus(row["status"]),
        created_at=row["created_at"],
    )
