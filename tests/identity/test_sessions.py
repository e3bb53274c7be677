from dataclasses import replace
from datetime import UTC, datetime, timedelta
from secrets import token_bytes
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from identity.refresh import RefreshToken
from identity.sessions import Rotation, Sessions, ended, find, opened, outdated, rotated

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=7)
USER_ID = UUID(int=1)


def first_token(number: int) -> RefreshToken:
    return RefreshToken.first(USER_ID, UUID(int=number), token_bytes)


def logged_in(*tokens: RefreshToken, limit: int = 5) -> Sessions:
    sessions: Sessions = ()
    for token in tokens:
        sessions = opened(sessions, token, limit=limit, expires_at=LATER, now=NOW)
    return sessions


def session_ids(sessions: Sessions) -> list[int]:
    return [session.session_id.int for session in sessions]


def renew(
    sessions: Sessions, spent: RefreshToken, successor: RefreshToken, now: datetime = NOW
) -> tuple[Sessions, Rotation]:
    return rotated(sessions, spent, successor, expires_at=now + timedelta(days=7), now=now)


@given(st.integers(1, 12), st.integers(1, 6))
def test_the_newest_logins_stay(logins: int, limit: int) -> None:
    sessions = logged_in(*map(first_token, range(logins)), limit=limit)
    assert session_ids(sessions) == list(range(logins))[-limit:]


def test_expired_sessions_leave_before_living_ones_must() -> None:
    old = replace(logged_in(first_token(1))[0], expires_at=NOW)
    sessions = opened(
        (*logged_in(first_token(2)), old), first_token(3), limit=2, expires_at=LATER, now=NOW
    )
    assert session_ids(sessions) == [2, 3]


def test_a_session_is_alive_until_its_end() -> None:
    sessions = logged_in(first_token(1))
    assert find(sessions, UUID(int=1), now=LATER - timedelta(seconds=1)) == sessions[0]
    assert find(sessions, UUID(int=1), now=LATER) is None
    assert find(sessions, UUID(int=2), now=NOW) is None


def test_a_renewed_session_lives_longer_and_keeps_its_place_and_generation() -> None:
    tokens = [first_token(number) for number in range(3)]
    sessions = outdated(logged_in(*tokens))
    later = NOW + timedelta(days=1)
    renewed, rotation = renew(sessions, tokens[1], tokens[1].successor(token_bytes), later)
    assert rotation is Rotation.RENEWED
    assert session_ids(renewed) == [0, 1, 2]
    assert renewed[1].expires_at == later + timedelta(days=7)
    assert renewed[1].generation == 1
    assert (renewed[0], renewed[2]) == (sessions[0], sessions[2])


def test_an_unknown_session_changes_nothing() -> None:
    sessions = logged_in(first_token(1))
    stranger = first_token(2)
    assert renew(sessions, stranger, stranger.successor(token_bytes)) == (
        sessions,
        Rotation.UNKNOWN,
    )


def test_knowing_the_ids_of_a_session_does_not_end_it() -> None:
    sessions = logged_in(first_token(1))
    forged = first_token(1)
    assert renew(sessions, forged, forged.successor(token_bytes)) == (sessions, Rotation.UNKNOWN)


def test_an_expired_session_is_unknown() -> None:
    token = first_token(1)
    sessions = logged_in(token)
    assert renew(sessions, token, token.successor(token_bytes), LATER) == (
        sessions,
        Rotation.UNKNOWN,
    )


def test_a_spent_token_ends_its_session_and_no_other() -> None:
    spent, other = first_token(1), first_token(2)
    sessions, _ = renew(logged_in(spent, other), spent, spent.successor(token_bytes))
    sessions, rotation = renew(sessions, spent, spent.successor(token_bytes))
    assert rotation is Rotation.REUSED
    assert session_ids(sessions) == [2]


def test_one_session_ends_alone() -> None:
    sessions = logged_in(*map(first_token, range(3)))
    assert session_ids(ended(sessions, UUID(int=1))) == [0, 2]
    assert ended(sessions, UUID(int=9)) == sessions


def test_outdating_reaches_every_session() -> None:
    sessions = outdated(logged_in(first_token(1), first_token(2)))
    assert [session.generation for session in sessions] == [1, 1]
    assert outdated(()) == ()


class Logins(RuleBasedStateMachine):
    """Whatever happens, only the newest token of a living session renews it."""

    tokens = Bundle("tokens")
    LIMIT = 3

    def __init__(self) -> None:
        super().__init__()
        self.sessions: Sessions = ()
        self.current: dict[UUID, RefreshToken] = {}
        self.number = 0

    @rule(target=tokens)
    def login(self) -> RefreshToken:
        self.number += 1
        token = first_token(self.number)
        self.sessions = opened(self.sessions, token, limit=self.LIMIT, expires_at=LATER, now=NOW)
        self.current[token.session_id] = token
        for session_id in list(self.current)[: -self.LIMIT]:
            del self.current[session_id]
        return token

    @rule(target=tokens, token=tokens)
    def refresh(self, token: RefreshToken) -> RefreshToken:
        held = self.current.get(token.session_id)
        successor = token.successor(token_bytes)
        self.sessions, rotation = renew(self.sessions, token, successor)
        if held is None:
            assert rotation is Rotation.UNKNOWN
        elif held == token:
            assert rotation is Rotation.RENEWED
            self.current[token.session_id] = successor
        else:
            assert rotation is Rotation.REUSED
            del self.current[token.session_id]
        return successor

    @rule(token=tokens)
    def logout(self, token: RefreshToken) -> None:
        self.sessions = ended(self.sessions, token.session_id)
        self.current.pop(token.session_id, None)

    @invariant()
    def the_sessions_are_those_of_the_model(self) -> None:
        assert [session.session_id for session in self.sessions] == list(self.current)
        assert [session.secret_hash for session in self.sessions] == [
            token.secret_hash for token in self.current.values()
        ]


TestLogins = Logins.TestCase
