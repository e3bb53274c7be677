"""A member as clients see it."""

import json
from datetime import UTC, datetime
from uuid import UUID

from chat.members import Member


def test_a_member_is_shown_without_what_is_theirs_alone() -> None:
    member = Member(UUID(int=7), "ann", frozenset({"viewer", "admin"}), datetime.now(UTC))
    assert json.loads(json.dumps(member.as_user())) == {
        "user_id": "00000000-0000-0000-0000-000000000007",
        "name": "ann",
        "roles": ["admin", "viewer"],
    }
