from dataclasses import FrozenInstanceError
from datetime import UTC, datetime
from uuid import UUID

import pytest

from identity.principal import Principal
from identity.roles import Role


def test_a_principal_cannot_be_given_other_roles() -> None:
    principal = Principal(
        user_id=UUID(int=1),
        display_name="Vera",
        roles=frozenset({Role.VIEWER}),
        session_id=UUID(int=2),
        expires_at=datetime(2026, 1, 31, tzinfo=UTC),
    )
    with pytest.raises(FrozenInstanceError):
        principal.roles = frozenset({Role.ADMIN})  # type: ignore[misc]
