"""The door into identity: accounts, logins, and who a token belongs to."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from config.identity import IdentitySettings
from identity.errors import InvalidCredentials, InvalidPaging, InvalidRegistration, InvalidRoles
from identity.keys import KeyRing
from identity.passwords import Passwords
from identity.principal import Principal
from identity.registration import (
    compose_password,
    fold,
    normalise_display_name,
    normalise_email,
    normalise_password,
)
from identity.roles import Role
from identity.session_keeper import SessionKeeper, SignedIn
from identity.sessions import SessionStore
from identity.store import Credentials, UserStore
from identity.throttle import LoginGuard, LoginThrottle
from identity.tokens import AccessTokens
from identity.users import Page, User, UserStatus

MAX_PAGE = 100

logger = logging.getLogger(__name__)


class IdentityService:
    """Every method refuses by the errors of `identity.errors`; `clock` tells aware UTC."""

    def __init__(
        self,
        settings: IdentitySettings,
        *,
        users: UserStore,
        sessions: SessionStore,
        throttle: LoginThrottle,
        keys: KeyRing,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._users = users
        self._keys = keys
        self._clock = clock
        self._guard = LoginGuard(settings, throttle)
        self._passwords = Passwords(settings)
        self._keeper = SessionKeeper(
            settings,
            users=users,
            sessions=sessions,
            tokens=AccessTokens(settings, keys),
            clock=clock,
        )

    def close(self) -> None:
        """Ends the threads that hash passwords."""
        self._passwords.close()

    # ---- signing in ----

    async def register(self, *, email: str, password: str, display_name: str) -> SignedIn:
        """A new account, signed in. Raises InvalidRegistration, EmailTaken or IdentityBusy."""
        roles = map(Role, self._settings.registration_roles)
        user = await self.create_user(
            email=email, password=password, display_name=display_name, roles=roles
        )
        return await self._keeper.open(user.user_id)

    async def login(self, *, email: str, password: str, ip: str | None = None) -> SignedIn:
        """A new session. `ip`: see LoginGuard.attempt.

        Raises InvalidCredentials, TooManyLogins, Suspended or IdentityBusy.
        """
        composed = compose_password(password)
        try:
            email = normalise_email(email)
        except InvalidRegistration as error:
            raise InvalidCredentials from error
        if composed is None:
            raise InvalidCredentials
        async with self._guard.attempt(email=email, ip=ip):
            user_id = await self._owner_of(email, composed)
        return await self._keeper.open(user_id)

    async def refresh(self, refresh_token: str) -> SignedIn:
        """New tokens for a refresh token, which is spent by this.

        Sending a spent one ends its session. Raises InvalidRefreshToken, Suspended or IdentityBusy.
        """
        return await self._keeper.renew(refresh_token)

    async def logout(self, principal: Principal) -> None:
        """Ends the caller's session; the others of the same user stay."""
        await self._keeper.end(principal.user_id, principal.session_id)

    async def authenticate(self, access_token: str) -> Principal:
        """Whose token this is. Raises InvalidToken, or ExpiredToken where a refresh helps."""
        return await self._keeper.authenticate(access_token)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public keys of the access tokens (RFC 7517)."""
        return self._keys.jwks()

    # ---- accounts ----

    async def create_user(
        self, *, email: str, password: str, display_name: str, roles: Iterable[Role]
    ) -> User:
        """A new account. Raises InvalidRegistration, InvalidRoles, EmailTaken or IdentityBusy."""
        email = normalise_email(email)
        display_name = normalise_display_name(display_name)
        password = normalise_password(password, email=email, display_name=display_name)
        granted = _at_least_one(roles)
        user = await self._users.insert(
            user_id=uuid7(),
            email=email,
            password_hash=await self._passwords.hash(password),
            display_name=display_name,
            roles=granted,
            now=self._clock(),
        )
        logger.info("user created", extra={"user_id": str(user.user_id)})
        return user

    async def user(self, user_id: UUID) -> User:
        """Raises UnknownUser."""
        return await self._users.user(user_id)

    async def user_by_email(self, email: str) -> User:
        """Raises UnknownUser or InvalidRegistration."""
        return await self._users.user_by_email(normalise_email(email))

    async def users(self, *, query: str | None, cursor: str | None, limit: int) -> Page[User]:
        """Newest first; with `query` those whose e-mail or name starts with it, in any case.

        Raises InvalidPaging.
        """
        before = _parsed_cursor(cursor)
        if not 1 <= limit <= MAX_PAGE:
            raise InvalidPaging("limit", f"Ask for 1 to {MAX_PAGE} users at a time.")
        prefix = fold((query or "").strip())
        if not prefix.isprintable():
            return Page((), None)
        if prefix:
            found = await self._users.search(prefix, before=before, limit=limit + 1)
        else:
            found = await self._users.page(before=before, limit=limit + 1)
        items = tuple(found[:limit])
        return Page(items, str(items[-1].user_id) if len(found) > limit else None)

    async def names(self, user_ids: Iterable[UUID]) -> dict[UUID, str]:
        """Display names; users that do not exist are left out."""
        wanted = set(user_ids)
        return await self._users.names(wanted) if wanted else {}

    async def suspend(self, user_id: UUID) -> User:
        """Ends all sessions at once; safe to repeat. Raises UnknownUser."""
        user = await self._users.set_status(user_id, UserStatus.SUSPENDED, now=self._clock())
        await self._keeper.end_all(user_id)
        return user

    async def reinstate(self, user_id: UUID) -> User:
        """The user may sign in again. Raises UnknownUser."""
        return await self._users.set_status(user_id, UserStatus.ACTIVE, now=self._clock())

    async def set_roles(self, user_id: UUID, roles: Iterable[Role]) -> User:
        """In effect at once: access tokens issued before count as expired, sessions stay.

        Safe to repeat. Raises UnknownUser, InvalidRoles or IdentityBusy.
        """
        user = await self._users.set_roles(user_id, _at_least_one(roles), now=self._clock())
        await self._keeper.outdate(user_id)
        return user

    # ---- steps of login ----

    async def _owner_of(self, email: str, password: str) -> UUID:
        """The user with this e-mail and password. Raises InvalidCredentials or IdentityBusy."""
        held = await self._users.credentials(email)
        verdict = await self._passwords.verify(held.password_hash if held else None, password)
        if held is None or not verdict.correct:
            raise InvalidCredentials
        if verdict.outdated:
            await self._rehash(held, password)
        return held.user_id

    async def _rehash(self, held: Credentials, password: str) -> None:
        password_hash = await self._passwords.hash(password)
        await self._users.replace_hash(held, password_hash, now=self._clock())


def _at_least_one(roles: Iterable[Role]) -> frozenset[Role]:
    granted = frozenset(roles)
    if not granted:
        raise InvalidRoles("Give the user at least one role.")
    return granted


def _parsed_cursor(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    try:
        return UUID(cursor)
    except ValueError as error:
        raise InvalidPaging("cursor", "Send the next_cursor of the page before this.") from error
