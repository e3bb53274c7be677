from datetime import UTC, datetime
from uuid import UUID

from identity.roles import Role
from identity.users import User, UserStatus


def test_the_text_of_a_user_leaves_the_email_out() -> None:
    user = User(
        user_id=UUID(int=1),
        email="vera@example.org",
        display_name="Vera",
        roles=frozenset({Role.VIEWER}),
        status=UserStatus.ACTIVE,
        created_at=datetime(2026, 1, 31, tzinfo=UTC),
    )
    assert "Vera" in repr(user)
    assert "example.org" not in repr(user)
