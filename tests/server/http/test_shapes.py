from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest
from pydantic import ValidationError

from identity.roles import Role
from identity.users import User, UserStatus
from server.http.shapes import MAX_PAGE, Paging, UserShape, rfc3339

NOON = datetime(2026, 1, 31, 12, 0, 0, 123_456, UTC)


def test_instants_are_utc_in_milliseconds() -> None:
    assert rfc3339(NOON) == "2026-01-31T12:00:00.123Z"
    assert rfc3339(NOON.astimezone(timezone(timedelta(hours=5)))) == "2026-01-31T12:00:00.123Z"


def test_a_user_s_roles_come_in_a_fixed_order() -> None:
    user = User(
        user_id=uuid4(),
        email="a@example.org",
        display_name="Anna",
        roles=frozenset({Role.ADMIN, Role.VIEWER, Role.STREAMER}),
        status=UserStatus.ACTIVE,
        created_at=NOON,
    )
    assert UserShape.of(user).model_dump(mode="json") == {
        "user_id": str(user.user_id),
        "email": "a@example.org",
        "display_name": "Anna",
        "roles": ["viewer", "streamer", "admin"],
        "status": "active",
        "created_at": "2026-01-31T12:00:00.123Z",
    }


@pytest.mark.parametrize("limit", [0, -1, MAX_PAGE + 1])
def test_pages_are_bounded(limit: int) -> None:
    with pytest.raises(ValidationError):
        Paging(limit=limit)
