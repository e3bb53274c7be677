"""A user as people know them. The password hash never leaves the store in a `User`."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar
from uuid import UUID

from identity.roles import Role

T = TypeVar("T")


class UserStatus(StrEnum):
    """A suspended user keeps their account and can do nothing with it."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class User:
    """One account; `email` is normalised (`identity.registration`), `created_at` is UTC."""

    user_id: UUID
    email: str = field(repr=False)
    display_name: str
    roles: frozenset[Role]
    status: UserStatus
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Items of a listing; `next_cursor` asks for those that follow, None says there are none."""

    items: tuple[T, ...]
    next_cursor: str | None
