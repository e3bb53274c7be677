"""Shapes that several groups of routes share: how an instant, a user and a page look in JSON."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from identity.roles import Role
from identity.users import User, UserStatus
from server.gateway.body import Query

MAX_PAGE = 100

EARLIEST = datetime.min.replace(tzinfo=UTC) + timedelta(days=1)
LATEST = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)
"""At the edges of the calendar an instant can't be told in every time zone."""


def rfc3339(moment: datetime) -> str:
    """UTC with milliseconds: `2026-01-31T12:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Instant = Annotated[
    datetime,
    PlainSerializer(rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


def _within_the_calendar(moment: datetime) -> datetime:
    if not EARLIEST <= moment <= LATEST:
        raise PydanticCustomError(
            "calendar", "Give an instant from 0001-01-02T00:00:00Z to 9999-12-30T23:59:59Z"
        )
    return moment


GivenInstant = Annotated[AwareDatetime, AfterValidator(_within_the_calendar)]
"""Input: an instant with an offset."""


class Shape(BaseModel):
    """Output; may be filled from a domain's object of the same field names."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Paging(Query):
    """Which part of a listing is asked for."""

    cursor: str | None = Field(default=None, max_length=200)
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)


class UserShape(Shape):
    """A user as they see themselves, and as admins see them."""

    user_id: UUID
    email: str
    display_name: str
    roles: list[Role]
    status: UserStatus
    created_at: Instant

    @classmethod
    def of(cls, user: User) -> "UserShape":
        """The shape of `user`, roles in the order of their declaration."""
        return cls(
            user_id=user.user_id,
            email=user.email,
            display_name=user.display_name,
            roles=[role for role in Role if role in user.roles],
            status=user.status,
            created_at=user.created_at,
        )
