"""Races between signing in and changes of the account, step by step over real stores."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from secrets import token_bytes
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import pytest
from redis.asyncio import Redis
from uuid_utils.compat import uuid7

from config.identity import IdentitySettings
from identity.errors import ExpiredToken, InvalidRefreshToken, InvalidToken, Suspended, UnknownUser
from identity.keys import KeyRing
from identity.refresh import RefreshToken
from identity.roles import Role
from identity.session_keeper import SessionKeeper
from identity.store import UserStore
from identity.tokens import AccessTokens
from identity.users import User, UserStatus
from server.redis_sessions import RedisSessions

if TYPE_CHECKING:
    from tests.identity.conftest import Clock


@dataclass
class House:
    """A keeper, and what it stands on."""

    keeper: SessionKeeper
    users: UserStore
    sessions: RedisSessions
    user: User
    clock: Clock


class Interrupted(UserStore):
    """Does something else right before or right after it reads a user."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        super().__init__(pool)
        self.before: Callable[[], Awaitable[None]] | None = None
        self.after: Callable[[], Awaitable[None]] | None = None

    async def user(self, user_id: UUID) -> User:
        if self.before is not None:
            await self.before()
        user = await super().user(user_id)
        if self.after is not None:
            await self.after()
        return user


@pytest.fixture
async def house(
    pool: asyncpg.Pool, redis: Redis, settings: IdentitySettings, keys: KeyRing, clock: Clock
) -> House:
    users, sessions = Interrupted(pool), RedisSessions(redis)
    user = await users.insert(
        user_id=uuid7(),
        email="vera@example.org",
        password_hash="",
        display_name="Vera",
        roles={Role.VIEWER},
        now=clock(),
    )
    tokens = AccessTokens(settings, keys)
    keeper = SessionKeeper(settings, users=users, sessions=sessions, tokens=tokens, clock=clock)
    return House(keeper, users, sessions, user, clock)


async def suspend(house: House) -> None:
    await house.users.set_status(house.user.user_id, UserStatus.SUSPENDED, now=house.clock())
    await house.keeper.end_all(house.user.user_id)


async def promote(house: House) -> None:
    roles = {Role.VIEWER, Role.STREAMER}
    await house.users.set_roles(house.user.user_id, roles, now=house.clock())
    await house.keeper.outdate(house.user.user_id)


async def may_do(house: House, access_token: str) -> frozenset[Role] | None:
    """The roles that the token gives, None where it gives nothing."""
    try:
        return (await house.keeper.authenticate(access_token)).roles
    except (ExpiredToken, InvalidToken):
        return None


async def test_a_new_session_may_do_what_the_account_may(house: House) -> None:
    signed_in = await house.keeper.open(house.user.user_id)
    principal = await house.keeper.authenticate(signed_in.access_token)
    assert principal.user_id == house.user.user_id
    assert principal.roles == {Role.VIEWER}
    assert signed_in.user == house.user
    assert (signed_in.expires_in_s, signed_in.refresh_expires_in_s) == (900, 604_800)


async def test_the_text_for_people_has_no_token(house: House) -> None:
    signed_in = await house.keeper.open(house.user.user_id)
    assert signed_in.access_token not in repr(signed_in)
    assert signed_in.refresh_token not in repr(signed_in)


async def test_nobody_gets_no_session(house: House, redis: Redis) -> None:
    with pytest.raises(UnknownUser):
        await house.keeper.open(UUID(int=1))
    assert await redis.keys("*") == []


async def test_the_sixth_session_ends_the_first(house: House) -> None:
    signed_in = [await house.keeper.open(house.user.user_id) for _ in range(6)]
    allowed = [await may_do(house, each.access_token) is not None for each in signed_in]
    assert allowed == [False, True, True, True, True, True]
    with pytest.raises(InvalidRefreshToken):
        await house.keeper.renew(signed_in[0].refresh_token)


async def test_a_refresh_gives_both_tokens_anew(house: House) -> None:
    first = await house.keeper.open(house.user.user_id)
    house.clock.pass_s(1000)
    with pytest.raises(ExpiredToken):
        await house.keeper.authenticate(first.access_token)
    second = await house.keeper.renew(first.refresh_token)
    assert second.refresh_token != first.refresh_token
    renewed = await house.keeper.authenticate(second.access_token)
    assert renewed.expires_at - house.clock() <= timedelta(seconds=900)


async def test_a_session_lives_as_long_as_it_is_renewed(house: House) -> None:
    signed_in = await house.keeper.open(house.user.user_id)
    for _ in range(3):
        house.clock.pass_s(604_000)
        signed_in = await house.keeper.renew(signed_in.refresh_token)
    house.clock.pass_s(604_800)
    with pytest.raises(InvalidRefreshToken):
        await house.keeper.renew(signed_in.refresh_token)


async def test_a_spent_token_ends_its_session_and_is_told_to_the_operator(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    first = await house.keeper.open(house.user.user_id)
    other = await house.keeper.open(house.user.user_id)
    second = await house.keeper.renew(first.refresh_token)
    with caplog.at_level(logging.WARNING), pytest.raises(InvalidRefreshToken):
        await house.keeper.renew(first.refresh_token)
    with pytest.raises(InvalidToken):
        await house.keeper.authenticate(second.access_token)
    with pytest.raises(InvalidRefreshToken):
        await house.keeper.renew(second.refresh_token)
    assert await may_do(house, other.access_token)
    [record] = caplog.records
    assert vars(record)["user_id"] == str(house.user.user_id)
    assert first.refresh_token not in str(vars(record))


async def test_a_token_of_a_made_up_session_is_refused(house: House) -> None:
    signed_in = await house.keeper.open(house.user.user_id)
    real = RefreshToken.parse(signed_in.refresh_token)
    forged = RefreshToken.first(real.user_id, real.session_id, token_bytes)
    for token in (forged, RefreshToken.first(house.user.user_id, uuid7(), token_bytes)):
        with pytest.raises(InvalidRefreshToken):
            await house.keeper.renew(token.text())
    assert await may_do(house, signed_in.access_token)


async def test_a_refresh_that_fails_before_the_end_spends_nothing(house: House) -> None:
    signed_in = await house.keeper.open(house.user.user_id)

    async def outage() -> None:
        raise ConnectionError

    assert isinstance(house.users, Interrupted)
    house.users.before = outage
    with pytest.raises(ConnectionError):
        await house.keeper.renew(signed_in.refresh_token)
    house.users.before = None
    assert await house.keeper.renew(signed_in.refresh_token)


async def test_a_session_ends_alone(house: House) -> None:
    first = await house.keeper.open(house.user.user_id)
    second = await house.keeper.open(house.user.user_id)
    principal = await house.keeper.authenticate(first.access_token)
    await house.keeper.end(principal.user_id, principal.session_id)
    assert await may_do(house, first.access_token) is None
    assert await may_do(house, second.access_token)


async def test_suspension_is_felt_at_once_and_by_every_session(house: House) -> None:
    signed_in = [await house.keeper.open(house.user.user_id) for _ in range(2)]
    await suspend(house)
    for each in signed_in:
        with pytest.raises(InvalidToken):
            await house.keeper.authenticate(each.access_token)
        with pytest.raises(InvalidRefreshToken):
            await house.keeper.renew(each.refresh_token)
    with pytest.raises(Suspended):
        await house.keeper.open(house.user.user_id)
    assert await house.sessions.read(house.user.user_id) == ()


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_no_session_survives_a_suspension_during_the_login(house: House, moment: str) -> None:
    setattr(house.users, moment, lambda: suspend(house))
    try:
        signed_in = await house.keeper.open(house.user.user_id)
    except Suspended:
        assert moment == "before"
    else:
        assert await may_do(house, signed_in.access_token) is None
    assert await house.sessions.read(house.user.user_id) == ()


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_no_session_survives_a_suspension_during_a_refresh(house: House, moment: str) -> None:
    signed_in = await house.keeper.open(house.user.user_id)
    setattr(house.users, moment, lambda: suspend(house))
    with pytest.raises((Suspended, InvalidRefreshToken)):
        await house.keeper.renew(signed_in.refresh_token)
    assert await house.sessions.read(house.user.user_id) == ()


async def test_a_suspension_whose_second_half_was_lost_is_made_up_for(house: House) -> None:
    """The process died between the account's change and the end of its sessions."""
    signed_in = await house.keeper.open(house.user.user_id)
    await house.users.set_status(house.user.user_id, UserStatus.SUSPENDED, now=house.clock())
    with pytest.raises(Suspended):
        await house.keeper.renew(signed_in.refresh_token)
    assert await may_do(house, signed_in.access_token) is None


async def test_new_roles_are_felt_at_once_and_after_a_refresh(house: House) -> None:
    signed_in = await house.keeper.open(house.user.user_id)
    await promote(house)
    with pytest.raises(ExpiredToken):
        await house.keeper.authenticate(signed_in.access_token)
    renewed = await house.keeper.renew(signed_in.refresh_token)
    assert await may_do(house, renewed.access_token) == {Role.VIEWER, Role.STREAMER}


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_no_token_with_old_roles_survives_a_change_during_the_login(
    house: House, moment: str
) -> None:
    setattr(house.users, moment, lambda: promote(house))
    signed_in = await house.keeper.open(house.user.user_id)
    assert await may_do(house, signed_in.access_token) is None
    setattr(house.users, moment, None)
    renewed = await house.keeper.renew(signed_in.refresh_token)
    assert await may_do(house, renewed.access_token) == {Role.VIEWER, Role.STREAMER}


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_no_token_with_old_roles_survives_a_change_during_a_refresh(
    house: House, moment: str
) -> None:
    first = await house.keeper.open(house.user.user_id)
    setattr(house.users, moment, lambda: promote(house))
    second = await house.keeper.renew(first.refresh_token)
    assert await may_do(house, second.access_token) is None
    setattr(house.users, moment, None)
    third = await house.keeper.renew(second.refresh_token)
    assert await may_do(house, third.access_token) == {Role.VIEWER, Role.STREAMER}


async def test_a_deleted_user_has_no_sessions(house: House, pool: asyncpg.Pool) -> None:
    signed_in = await house.keeper.open(house.user.user_id)
    await pool.execute("UPDATE identity.users SET deleted_at = now()")
    with pytest.raises(InvalidRefreshToken):
        await house.keeper.renew(signed_in.refresh_token)
    assert await may_do(house, signed_in.access_token) is None
