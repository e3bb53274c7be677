import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from config.sql import load_queries
from identity.errors import EmailTaken, UnknownUser
from identity.registration import fold
from identity.roles import Role
from identity.store import Credentials, UserStore
from identity.users import User, UserStatus

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


async def add(users: UserStore, email: str, display_name: str = "Vera") -> User:
    return await users.insert(
        user_id=uuid7(),
        email=email,
        password_hash="hash of " + email,
        display_name=display_name,
        roles={Role.VIEWER},
        now=NOW,
    )


async def found(users: UserStore, query: str) -> list[str]:
    matches = await users.search(fold(query), before=None, limit=10)
    return [user.email.partition("@")[0] for user in matches]


async def test_a_user_is_read_back(users: UserStore) -> None:
    user = await add(users, "vera@example.org")
    assert user.status is UserStatus.ACTIVE
    assert user.roles == {Role.VIEWER}
    assert user.created_at == NOW
    assert await users.user(user.user_id) == user
    assert await users.user_by_email("vera@example.org") == user
    assert await users.credentials("vera@example.org") == Credentials(
        user.user_id, "hash of vera@example.org"
    )


async def test_nobody_is_unknown(users: UserStore) -> None:
    assert await users.credentials("nobody@example.org") is None
    for unknown in (
        users.user(uuid4()),
        users.user_by_email("nobody@example.org"),
        users.set_status(uuid4(), UserStatus.SUSPENDED, now=NOW),
        users.set_roles(uuid4(), {Role.ADMIN}, now=NOW),
    ):
        with pytest.raises(UnknownUser):
            await unknown


async def test_of_many_registrations_of_one_email_one_succeeds(users: UserStore) -> None:
    outcomes = await asyncio.gather(
        *(add(users, "vera@example.org") for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(outcome, User) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, EmailTaken) for outcome in outcomes) == 7


async def test_a_deleted_user_is_gone_and_the_email_is_free(
    users: UserStore, pool: asyncpg.Pool
) -> None:
    user = await add(users, "vera@example.org")
    await pool.execute(
        "UPDATE identity.users SET deleted_at = $2 WHERE user_id = $1", user.user_id, NOW
    )
    with pytest.raises(UnknownUser):
        await users.user(user.user_id)
    assert await users.names([user.user_id]) == {}
    assert await users.page(before=None, limit=10) == []
    assert await found(users, "vera") == []
    assert (await add(users, "vera@example.org")).user_id != user.user_id


async def test_pages_follow_each_other_from_the_newest(users: UserStore) -> None:
    added = [await add(users, f"user{number}@example.org") for number in range(5)]
    seen: list[User] = []
    while page := await users.page(before=seen[-1].user_id if seen else None, limit=2):
        seen.extend(page)
    assert seen == added[::-1]


async def test_a_search_matches_the_start_of_email_or_name_in_any_case(users: UserStore) -> None:
    await add(users, "vera@example.org", "Zoë")
    await add(users, "verena@example.org", "VERONIKA")
    await add(users, "stella@example.org", "Straße")
    assert await found(users, "VER") == ["verena", "vera"]
    assert await found(users, "vero") == ["verena"]
    assert await found(users, "zoe\u0308") == ["vera"]
    assert await found(users, "STRASSE") == ["stella"]
    assert await found(users, "example.org") == []
    assert await found(users, "vera@example.org") == ["vera"]


async def test_search_pages_follow_each_other(users: UserStore) -> None:
    added = [await add(users, f"user{number}@example.org") for number in range(4)]
    first = await users.search("user", before=None, limit=3)
    rest = await users.search("user", before=first[-1].user_id, limit=3)
    assert [*first, *rest] == added[::-1]


@pytest.mark.parametrize("query", ["%", "_", "\\", "a%", "v_ra", "v.*", "'; DROP TABLE x; --"])
async def test_nothing_in_a_search_is_a_wildcard(users: UserStore, query: str) -> None:
    await add(users, "vera@example.org")
    assert await found(users, query) == []
    await add(users, "other@example.org", f"{query} name")
    assert await found(users, query) == ["other"]


async def test_a_search_reads_its_indexes(users: UserStore, pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        await connection.executemany(
            """
            INSERT INTO identity.users (user_id, email, password_hash, display_name,
                display_name_folded, roles, created_at, updated_at)
            VALUES ($1, $2, '', 'Name', $3, '{viewer}', now(), now())
            """,
            [(uuid4(), f"{number:04}@example.org", f"{number:04}") for number in range(3000)],
        )
        await connection.execute("ANALYZE identity.users")
        search = load_queries("identity", "sql/users.sql")["search"]
        await connection.execute(f"PREPARE search (uuid, bigint, text, text) AS {search}")
        for _ in range(7):  # PostgreSQL thinks of a generic plan from the sixth time on
            plan = await connection.fetchval(
                "EXPLAIN (FORMAT JSON) EXECUTE search (NULL, 11, '0042', '0042x')"
            )
    assert {"users_email_active", "users_name_active"} <= set(str(plan).split("'"))


async def test_names_of_those_that_exist(users: UserStore) -> None:
    vera, stella = await add(users, "v@x.org", "Vera"), await add(users, "s@x.org", "Stella")
    names = await users.names([vera.user_id, stella.user_id, UUID(int=1)])
    assert names == {vera.user_id: "Vera", stella.user_id: "Stella"}


async def test_status_and_roles_change(users: UserStore, pool: asyncpg.Pool) -> None:
    user = await add(users, "vera@example.org")
    later = NOW + timedelta(hours=1)
    suspended = await users.set_status(user.user_id, UserStatus.SUSPENDED, now=later)
    assert suspended.status is UserStatus.SUSPENDED
    promoted = await users.set_roles(user.user_id, {Role.ADMIN, Role.VIEWER}, now=later)
    assert promoted.roles == {Role.ADMIN, Role.VIEWER}
    assert await users.user(user.user_id) == promoted
    assert await pool.fetchval("SELECT updated_at FROM identity.users") == later


async def test_a_hash_that_changed_meanwhile_is_not_overwritten(users: UserStore) -> None:
    await add(users, "vera@example.org")
    read = await users.credentials("vera@example.org")
    assert read is not None
    await users.replace_hash(read, "newer", now=NOW)
    await users.replace_hash(read, "late", now=NOW)
    held = await users.credentials("vera@example.org")
    assert held == Credentials(read.user_id, "newer")
    assert "newer" not in repr(held)


@pytest.mark.parametrize(
    "wrong",
    [
        "roles = '{}'",
        "roles = '{owner}'",
        "status = 'deleted'",
        "profile = '[]'",
        "display_name = 'V'",
        "email = repeat('x', 255)",
    ],
)
async def test_the_database_itself_refuses_what_no_user_is(
    users: UserStore, pool: asyncpg.Pool, wrong: str
) -> None:
    await add(users, "vera@example.org")
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute(f"UPDATE identity.users SET {wrong}")
