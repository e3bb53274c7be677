"""What the operator does with accounts."""

from uuid import UUID

import pytest

from identity.errors import (
    ExpiredToken,
    InvalidPaging,
    InvalidRoles,
    InvalidToken,
    UnknownUser,
)
from identity.roles import Role
from identity.service import IdentityService
from identity.session_keeper import SignedIn
from identity.users import User, UserStatus

EMAIL, PASSWORD = "vera@example.org", "correct horse battery"


async def register(
    service: IdentityService, email: str = EMAIL, display_name: str = "Vera"
) -> SignedIn:
    return await service.register(email=email, password=PASSWORD, display_name=display_name)


async def test_suspending_and_reinstating(service: IdentityService) -> None:
    signed_in = await register(service)
    user_id = signed_in.user.user_id
    for _ in range(2):
        assert (await service.suspend(user_id)).status is UserStatus.SUSPENDED
    assert (await service.reinstate(user_id)).status is UserStatus.ACTIVE
    with pytest.raises(InvalidToken):
        await service.authenticate(signed_in.access_token)
    assert await service.login(email=EMAIL, password=PASSWORD)


async def test_new_roles_need_a_refresh_and_no_login(service: IdentityService) -> None:
    signed_in = await register(service)
    changed = await service.set_roles(signed_in.user.user_id, {Role.MODERATOR})
    assert changed.roles == {Role.MODERATOR}
    with pytest.raises(ExpiredToken):
        await service.authenticate(signed_in.access_token)
    renewed = await service.refresh(signed_in.refresh_token)
    assert (await service.authenticate(renewed.access_token)).roles == {Role.MODERATOR}
    with pytest.raises(InvalidRoles):
        await service.set_roles(signed_in.user.user_id, set())


async def test_nobody_is_unknown(service: IdentityService) -> None:
    nobody = UUID(int=1)
    for refused in (
        service.user(nobody),
        service.user_by_email("nobody@example.org"),
        service.suspend(nobody),
        service.reinstate(nobody),
        service.set_roles(nobody, {Role.VIEWER}),
    ):
        with pytest.raises(UnknownUser):
            await refused


async def test_users_are_listed_in_pages_from_the_newest(service: IdentityService) -> None:
    made = [(await register(service, email=f"u{n}@example.org")).user for n in range(5)]
    seen: list[User] = []
    cursor: str | None = None
    for items in (2, 2, 1):
        page = await service.users(query=None, cursor=cursor, limit=2)
        assert len(page.items) == items
        seen.extend(page.items)
        cursor = page.next_cursor
    assert cursor is None
    assert seen == made[::-1]


async def test_a_full_last_page_promises_no_further_one(service: IdentityService) -> None:
    for number in range(2):
        await register(service, email=f"u{number}@example.org")
    assert (await service.users(query=None, cursor=None, limit=2)).next_cursor is None


@pytest.mark.parametrize(
    ("query", "names"),
    [
        (None, ["Zoë", "Vera"]),
        ("  ", ["Zoë", "Vera"]),
        (" VER", ["Vera"]),
        ("zoë", ["Zoë"]),
        ("%", []),
        ("\x00", []),
        ("\ud800", []),
        ("x" * 65_536, []),
    ],
)
async def test_a_query_narrows_the_list(
    service: IdentityService, query: str | None, names: list[str]
) -> None:
    await register(service, email="v@example.org", display_name="Vera")
    await register(service, email="z@example.org", display_name="Zoë")
    page = await service.users(query=query, cursor=None, limit=10)
    assert [user.display_name for user in page.items] == names


@pytest.mark.parametrize(
    ("cursor", "limit", "field"),
    [("next", 10, "cursor"), ("\x00", 10, "cursor"), (None, 0, "limit"), (None, 101, "limit")],
)
async def test_paging_that_is_none_of_ours_is_refused(
    service: IdentityService, cursor: str | None, limit: int, field: str
) -> None:
    with pytest.raises(InvalidPaging) as refusal:
        await service.users(query=None, cursor=cursor, limit=limit)
    assert refusal.value.field == field


async def test_names_of_those_that_exist(service: IdentityService) -> None:
    user = (await register(service)).user
    assert await service.names([user.user_id, user.user_id, UUID(int=1)]) == {user.user_id: "Vera"}
    assert await service.names([]) == {}
