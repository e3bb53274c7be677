"""Login throttling: how many passwords may be tried, per account and per address.

An attempt is counted before the password is looked at, so that many at once get no further than
one by one, and given back when it turns out not to be a wrong guess.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Protocol

from config.identity import IdentitySettings
from identity.errors import InvalidCredentials, TooManyLogins


class LoginThrottle(Protocol):
    """Counts by subject, each in a window that starts with the first attempt counted."""

    async def take(self, subject: str, *, limit: int, window_s: int) -> int | None:
        """Count one attempt; where `limit` is reached, count none and return the seconds to wait.

        Atomic: of attempts at the same time no more than `limit` are let through.
        """

    async def give_back(self, subject: str) -> None:
        """Take one attempt back."""


class LoginGuard:
    """Applies the limits of the settings to logins."""

    def __init__(self, settings: IdentitySettings, throttle: LoginThrottle) -> None:
        self._settings = settings
        self._throttle = throttle

    @asynccontextmanager
    async def attempt(self, *, email: str, ip: str | None) -> AsyncIterator[None]:
        """Surrounds the check of a password; only InvalidCredentials raised inside counts.

        `ip` is the caller's IPv4 address, or the /64 of its IPv6 address, which is what one
        subscriber has. A cancelled check counts too, or hanging up early would be a way around the
        limits. Raises TooManyLogins.
        """
        taken = await self._take(email, ip)
        try:
            yield
        except InvalidCredentials:
            raise
        except Exception:
            await self._give_back(taken)
            raise
        await self._give_back(taken)

    async def _take(self, email: str, ip: str | None) -> list[str]:
        """The subjects counted. The address goes first: a refused one costs no account anything."""
        limits = {account_subject(email): self._settings.login_failures_per_account}
        if ip is not None:
            limits = {f"ip:{ip}": self._settings.login_failures_per_ip, **limits}
        for subject, limit in limits.items():
            wait_s = await self._throttle.take(
                subject, limit=limit, window_s=self._settings.login_window_s
            )
            if wait_s is not None:
                raise TooManyLogins(wait_s)
        return list(limits)

    async def _give_back(self, subjects: list[str]) -> None:
        for subject in subjects:
            await self._throttle.give_back(subject)


def account_subject(email: str) -> str:
    """The subject of an account, whether it exists or not; e-mails are not kept as they are."""
    return f"account:{sha256(email.encode()).hexdigest()}"
