import asyncio
from typing import Any

import pytest

from config.identity import IdentitySettings
from identity.errors import InvalidCredentials, TooManyLogins
from identity.throttle import LoginGuard, account_subject


class CountingThrottle:
    """Counts without end; the real one is tested over Redis."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    async def take(self, subject: str, *, limit: int, window_s: int) -> int | None:
        if self.counts.get(subject, 0) >= limit:
            return window_s
        self.counts[subject] = self.counts.get(subject, 0) + 1
        return None

    async def give_back(self, subject: str) -> None:
        self.counts[subject] -= 1


ACCOUNT, ADDRESS = account_subject("vera@example.org"), "ip:192.0.2.1"


@pytest.fixture
def throttle() -> CountingThrottle:
    return CountingThrottle()


@pytest.fixture
def guard(throttle: CountingThrottle) -> LoginGuard:
    settings = IdentitySettings(login_failures_per_account=2, login_failures_per_ip=3)
    return LoginGuard(settings, throttle)


async def attempt(
    guard: LoginGuard,
    outcome: BaseException | None = None,
    email: str = "vera@example.org",
    ip: str | None = "192.0.2.1",
) -> None:
    async with guard.attempt(email=email, ip=ip):
        if outcome is not None:
            raise outcome


async def fail(guard: LoginGuard, **who: Any) -> None:
    with pytest.raises(InvalidCredentials):
        await attempt(guard, InvalidCredentials(), **who)


async def test_a_wrong_password_counts_for_account_and_address(
    guard: LoginGuard, throttle: CountingThrottle
) -> None:
    await fail(guard)
    assert throttle.counts == {ACCOUNT: 1, ADDRESS: 1}


@pytest.mark.parametrize("outcome", [None, RuntimeError(), TooManyLogins(1)])
async def test_what_was_no_guess_is_given_back(
    guard: LoginGuard, throttle: CountingThrottle, outcome: Exception | None
) -> None:
    await fail(guard)
    if outcome is None:
        await attempt(guard)
    else:
        with pytest.raises(type(outcome)):
            await attempt(guard, outcome)
    assert throttle.counts == {ACCOUNT: 1, ADDRESS: 1}


async def test_hanging_up_counts(guard: LoginGuard, throttle: CountingThrottle) -> None:
    with pytest.raises(asyncio.CancelledError):
        await attempt(guard, asyncio.CancelledError())
    assert throttle.counts == {ACCOUNT: 1, ADDRESS: 1}


async def test_an_account_is_closed_from_everywhere(guard: LoginGuard) -> None:
    for last in (1, 2):
        await fail(guard, ip=f"192.0.2.{last}")
    with pytest.raises(TooManyLogins) as refusal:
        await attempt(guard, ip="192.0.2.3")
    assert refusal.value.retry_after_s == 900
    await attempt(guard, email="stella@example.org", ip="192.0.2.1")


async def test_a_closed_address_closes_no_further_accounts(
    guard: LoginGuard, throttle: CountingThrottle
) -> None:
    for name in ("mia", "noah", "zoe"):
        await fail(guard, email=f"{name}@example.org")
    with pytest.raises(TooManyLogins):
        await attempt(guard)
    assert ACCOUNT not in throttle.counts
    await attempt(guard, ip="192.0.2.2")


async def test_an_ipv6_network_is_an_address_too(
    guard: LoginGuard, throttle: CountingThrottle
) -> None:
    await fail(guard, ip="2001:db8::/64")
    assert throttle.counts == {ACCOUNT: 1, "ip:2001:db8::/64": 1}


async def test_an_unknown_address_is_not_counted(
    guard: LoginGuard, throttle: CountingThrottle
) -> None:
    await fail(guard, ip=None)
    assert throttle.counts == {ACCOUNT: 1}


def test_emails_are_not_kept_as_they_are() -> None:
    assert "vera" not in ACCOUNT
