"""Who may moderate whom, and how long a timeout lasts."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.errors import Forbidden
from chat.members import Member
from chat.moderation import Timeouts, check_target, may_moderate

OWNER = uuid4()


def member(user_id: UUID, *roles: str) -> Member:
    return Member(user_id, "ann", frozenset(roles), datetime.now(UTC))


@pytest.mark.parametrize(
    ("roles", "may"),
    [
        ((), False),
        (("viewer", "streamer"), False),
        (("viewer", "moderator"), True),
        (("admin",), True),
    ],
)
def test_roles_that_moderate(roles: tuple[str, ...], may: bool) -> None:
    assert may_moderate(member(uuid4(), *roles), OWNER) is may


def test_the_owner_moderates_only_their_own_room() -> None:
    assert may_moderate(member(OWNER, "streamer"), OWNER)
    assert not may_moderate(member(OWNER, "streamer"), uuid4())


def test_admins_and_the_owner_can_not_be_timed_out() -> None:
    for user_id, roles in ((OWNER, frozenset({"streamer"})), (uuid4(), frozenset({"admin"}))):
        with pytest.raises(Forbidden):
            check_target(user_id, roles, OWNER)
    check_target(uuid4(), frozenset({"moderator"}), OWNER)


def test_a_timeout_ends() -> None:
    timeouts, ann = Timeouts(capacity=10), uuid4()
    timeouts.set(ann, 5_000)
    assert timeouts.until(ann, 4_999) == 5_000
    assert timeouts.until(ann, 5_000) is None
    assert len(timeouts) == 0


def test_a_timeout_can_be_lifted_and_changed() -> None:
    timeouts, ann = Timeouts(capacity=10), uuid4()
    timeouts.set(ann, 5_000)
    timeouts.set(ann, 9_000)
    assert timeouts.until(ann, 6_000) == 9_000
    timeouts.set(ann, 0)
    assert timeouts.until(ann, 6_000) is None
    timeouts.set(ann, 0)


@given(st.lists(st.tuples(st.uuids(), st.integers(1, 10_000)), unique_by=lambda pair: pair[0]))
def test_the_longest_are_kept(pairs: list[tuple[UUID, int]]) -> None:
    timeouts = Timeouts(capacity=4)
    timeouts.replace(dict(pairs))
    kept = sorted(until for user_id, _ in pairs if (until := timeouts.until(user_id, 0)))
    assert kept == sorted(until for _, until in pairs)[-4:]
