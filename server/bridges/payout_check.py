"""What payouts ask of compliance and identity: may this user be paid without a person looking?"""

from uuid import UUID

from compliance.aml.service import AlertService
from identity.errors import UnknownUser
from identity.service import IdentityService
from identity.users import UserStatus
from ledger.payouts.check import Verdict


class PayoutCheck:
    """`ledger.payouts.check.ComplianceCheck`."""

    def __init__(self, alerts: AlertService, identity: IdentityService) -> None:
        self._alerts = alerts
        self._identity = identity

    async def judge(self, user_id: UUID) -> Verdict:
        """Not clear: a suspended or unknown user, or one with an alert that is not resolved."""
        try:
            user = await self._identity.user(user_id)
        except UnknownUser:
            return Verdict(False, "There is no such user.")
        if user.status is not UserStatus.ACTIVE:
            return Verdict(False, f"The user is {user.status}.")
        types = [alert.alert_type for alert in await self._alerts.unresolved_of(user_id)]
        if types:
            return Verdict(False, f"Alerts that are not resolved: {', '.join(sorted(types))}.")
        return Verdict(True)
