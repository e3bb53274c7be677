"""Keeps users signed in: opens, renews, ends and checks their sessions.

Order matters where an account changes while it signs in. A session is opened, or found alive,
before the account is read; the account is changed before its sessions are ended or outdated.
Whichever comes first, no token with the old roles outlives the change, and no suspended user
keeps a session.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_bytes
from uuid import UUID

from uuid_utils.compat import uuid7

from config.identity import IdentitySettings
from identity.errors import ExpiredToken, InvalidRefreshToken, InvalidToken, Suspended, UnknownUser
from identity.principal import Principal
from identity.refresh import RefreshToken
from identity.sessions import (
    Rotation,
    Sessions,
    SessionStore,
    ended,
    find,
    opened,
    outdated,
    rotated,
)
from identity.store import UserStore
from identity.tokens import AccessTokens
from identity.users import User, UserStatus

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a client needs to go on."""

    access_token: str = field(repr=False)
    expires_in_s: int
    refresh_token: str = field(repr=False)
    refresh_expires_in_s: int
    user: User


class SessionKeeper:
    """`clock` tells the time in aware UTC."""

    def __init__(
        self,
        settings: IdentitySettings,
        *,
        users: UserStore,
        sessions: SessionStore,
        tokens: AccessTokens,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._users = users
        self._sessions = sessions
        self._tokens = tokens
        self._clock = clock

    async def open(self, user_id: UUID) -> SignedIn:
        """A new session; the oldest ends where the user has `max_sessions`.

        Raises Suspended, UnknownUser or IdentityBusy.
        """
        token = RefreshToken.first(user_id, uuid7(), token_bytes)
        now = self._clock()

        def change(sessions: Sessions) -> tuple[Sessions, None]:
            return opened(
                sessions,
                token,
                limit=self._settings.max_sessions,
                expires_at=self._end_from(now),
                now=now,
            ), None

        await self._sessions.update(user_id, change)
        return self._signed_in(await self._active_user(user_id), token, generation=0)

    async def renew(self, refresh_token: str) -> SignedIn:
        """New tokens for a refresh token, which is spent by this.

        Raises InvalidRefreshToken, Suspended or IdentityBusy.
        """
        token = RefreshToken.parse(refresh_token)
        now = self._clock()
        session = find(await self._sessions.read(token.user_id), token.session_id, now=now)
        if session is None:
            raise InvalidRefreshToken
        try:
            # Before the token is spent: a request that fails here can be sent again.
            user = await self._active_user(token.user_id)
        except UnknownUser as error:
            raise InvalidRefreshToken from error
        successor = token.successor(token_bytes)

        def change(sessions: Sessions) -> tuple[Sessions, Rotation]:
            return rotated(sessions, token, successor, expires_at=self._end_from(now), now=now)

        rotation = await self._sessions.update(token.user_id, change)
        if rotation is Rotation.REUSED:
            logger.warning(
                "a spent refresh token was sent again, its session has ended",
                extra={"user_id": str(token.user_id), "session_id": str(token.session_id)},
            )
        if rotation is not Rotation.RENEWED:
            raise InvalidRefreshToken
        # The generation that was read before the roles: they may be newer than it, never older.
        return self._signed_in(user, successor, session.generation)

    async def authenticate(self, access_token: str) -> Principal:
        """Whose token this is; one signature check and one round trip to the sessions.

        Raises InvalidToken, or ExpiredToken where a refresh helps: the token has run out, or the
        user's roles have changed since.
        """
        now = self._clock()
        principal, generation = self._tokens.verify(access_token, now=now)
        sessions = await self._sessions.read(principal.user_id)
        session = find(sessions, principal.session_id, now=now)
        if session is None:
            raise InvalidToken
        if session.generation != generation:
            raise ExpiredToken
        return principal

    async def end(self, user_id: UUID, session_id: UUID) -> None:
        """Ends one session. Raises IdentityBusy."""
        await self._sessions.update(user_id, lambda sessions: (ended(sessions, session_id), None))

    async def end_all(self, user_id: UUID) -> None:
        """Ends every session of the user."""
        await self._sessions.clear(user_id)

    async def outdate(self, user_id: UUID) -> None:
        """Makes the user's access tokens count as expired; sessions stay. Raises IdentityBusy."""
        await self._sessions.update(user_id, lambda sessions: (outdated(sessions), None))

    async def _active_user(self, user_id: UUID) -> User:
        """The user; sessions of one that may have none end. Raises Suspended or UnknownUser."""
        try:
            user = await self._users.user(user_id)
            if user.status is UserStatus.SUSPENDED:
                raise Suspended
        except (UnknownUser, Suspended):
            await self._sessions.clear(user_id)
            raise
        return user

    def _end_from(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self._settings.refresh_token_ttl_s)

    def _signed_in(self, user: User, token: RefreshToken, generation: int) -> SignedIn:
        access_token = self._tokens.issue(
            user,
            session_id=token.session_id,
            generation=generation,
            token_id=uuid7(),
            now=self._clock(),
        )
        return SignedIn(
            access_token=access_token,
            expires_in_s=self._settings.access_token_ttl_s,
            refresh_token=token.text(),
            refresh_expires_in_s=self._settings.refresh_token_ttl_s,
            user=user,
        )
