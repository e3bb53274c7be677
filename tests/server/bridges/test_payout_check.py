"""Who may be paid without a person looking."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from compliance.aml.score import AlertType
from identity.errors import UnknownUser
from identity.users import UserStatus
from server.bridges.payout_check import PayoutCheck

USER = uuid4()


@dataclass
class Thing:
    status: UserStatus = UserStatus.ACTIVE
    alert_type: AlertType = AlertType.STRUCTURING


@dataclass
class Parts:
    users: dict[UUID, Thing] = field(default_factory=lambda: {USER: Thing()})
    alerts: list[Thing] = field(default_factory=list)

    async def user(self, user_id: UUID) -> Thing:
        if user_id not in self.users:
            raise UnknownUser
        return self.users[user_id]

    async def unresolved_of(self, user_id: UUID) -> list[Thing]:
        assert user_id == USER
        return self.alerts


def check(parts: Any) -> PayoutCheck:
    return PayoutCheck(parts, parts)


async def test_a_user_without_alerts_is_clear() -> None:
    assert (await check(Parts()).judge(USER)).is_clear


async def test_an_open_alert_is_not() -> None:
    parts = Parts(alerts=[Thing(), Thing(alert_type=AlertType.CIRCULAR_GIFTING)])
    verdict = await check(parts).judge(USER)
    assert not verdict.is_clear
    assert "circular" in verdict.reason
    assert "structuring" in verdict.reason


async def test_a_suspended_or_unknown_user_is_not() -> None:
    suspended = await check(Parts({USER: Thing(UserStatus.SUSPENDED)})).judge(USER)
    assert (suspended.is_clear, "suspended" in suspended.reason) == (False, True)
    assert not (await check(Parts({})).judge(USER)).is_clear
