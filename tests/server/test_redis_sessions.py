import asyncio
from datetime import UTC, datetime, timedelta
from secrets import token_bytes
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from identity.errors import IdentityBusy
from identity.refresh import RefreshToken
from identity.sessions import Rotation, Sessions, ended, opened, outdated, rotated
from server.redis_sessions import RedisSessions

USER_ID = UUID(int=1)
NOW = datetime.now(UTC).replace(microsecond=250_000)
LATER = NOW + timedelta(days=7)
KEY = f"sociallive:identity:sessions:{USER_ID}"


@pytest.fixture
def sessions(redis: Redis) -> RedisSessions:
    return RedisSessions(redis)


async def open_one(
    sessions: RedisSessions, expires_at: datetime = LATER, limit: int = 50
) -> RefreshToken:
    token = RefreshToken.first(USER_ID, uuid4(), token_bytes)

    def change(held: Sessions) -> tuple[Sessions, None]:
        return opened(held, token, limit=limit, expires_at=expires_at, now=NOW), None

    await sessions.update(USER_ID, change)
    return token


async def rotate(sessions: RedisSessions, token: RefreshToken) -> Rotation:
    successor = token.successor(token_bytes)
    return await sessions.update(
        USER_ID, lambda held: rotated(held, token, successor, expires_at=LATER, now=NOW)
    )


async def test_a_user_begins_without_sessions(sessions: RedisSessions) -> None:
    assert await sessions.read(USER_ID) == ()


async def test_sessions_are_read_back_whole(sessions: RedisSessions) -> None:
    tokens = [await open_one(sessions) for _ in range(2)]
    expected: Sessions = ()
    for token in tokens:
        expected = opened(expected, token, limit=5, expires_at=LATER, now=NOW)
    assert await sessions.read(USER_ID) == expected


async def test_the_value_ends_with_its_last_session(sessions: RedisSessions, redis: Redis) -> None:
    await open_one(sessions, expires_at=LATER)
    await open_one(sessions, expires_at=NOW + timedelta(days=1))
    assert await redis.pexpiretime(KEY) == int(LATER.timestamp() * 1000)


async def test_nothing_is_kept_of_a_user_without_sessions(
    sessions: RedisSessions, redis: Redis
) -> None:
    token = await open_one(sessions)
    await sessions.update(USER_ID, lambda held: (ended(held, token.session_id), None))
    assert await redis.keys("*") == []
    await sessions.update(USER_ID, lambda held: (outdated(held), None))
    assert await redis.keys("*") == []


async def test_no_token_is_kept_as_it_is(sessions: RedisSessions, redis: Redis) -> None:
    token = await open_one(sessions)
    value = await redis.get(KEY)
    assert token.secret_hash.encode() in value
    for secret in (token.secret, token.family):
        assert secret not in value
        assert secret.hex().encode() not in value
    assert token.text().encode() not in value


async def test_no_login_at_the_same_time_is_lost(sessions: RedisSessions) -> None:
    tokens = await asyncio.gather(*(open_one(sessions) for _ in range(10)))
    held = await sessions.read(USER_ID)
    assert {session.session_id for session in held} == {token.session_id for token in tokens}


async def test_of_the_same_token_twice_at_once_one_wins_and_the_session_ends(
    sessions: RedisSessions,
) -> None:
    for _ in range(10):
        token = await open_one(sessions)
        other = await open_one(sessions)
        outcomes = await asyncio.gather(*(rotate(sessions, token) for _ in range(2)))
        assert set(outcomes) == {Rotation.RENEWED, Rotation.REUSED}
        assert [each.session_id for each in await sessions.read(USER_ID)] == [other.session_id]
        await sessions.clear(USER_ID)


async def test_clearing_wins_against_a_change_under_way(sessions: RedisSessions) -> None:
    token = await open_one(sessions)
    successor = token.successor(token_bytes)
    cleared = False

    def change(held: Sessions) -> tuple[Sessions, Rotation]:
        return rotated(held, token, successor, expires_at=LATER, now=NOW)

    class ClearedInBetween(RedisSessions):
        async def _value(self, user_id: UUID) -> bytes | str:
            nonlocal cleared
            value = await super()._value(user_id)
            if not cleared:
                cleared = True
                await self.clear(user_id)
            return value

    racing = ClearedInBetween(sessions._redis)
    assert await racing.update(USER_ID, change) is Rotation.UNKNOWN
    assert await sessions.read(USER_ID) == ()


async def test_a_change_that_always_loses_is_given_up(sessions: RedisSessions) -> None:
    class NeverAlone(RedisSessions):
        async def _value(self, user_id: UUID) -> bytes | str:
            value = await super()._value(user_id)
            await open_one(sessions, limit=1)
            return value

    with pytest.raises(IdentityBusy):
        await NeverAlone(sessions._redis).update(USER_ID, lambda held: (held[:0], None))


async def test_a_command_sent_again_after_a_lost_answer_is_the_same_change(
    sessions: RedisSessions,
) -> None:
    token = await open_one(sessions)

    class AnswerLost(RedisSessions):
        def __init__(self, redis: Redis) -> None:
            super().__init__(redis)
            once = self._compare_and_set

            async def twice(**command: object) -> object:
                await once(**command)  # type: ignore[arg-type]
                return await once(**command)  # type: ignore[arg-type]

            self._compare_and_set = twice  # type: ignore[assignment]

    assert await rotate(AnswerLost(sessions._redis), token) is Rotation.RENEWED
