"""What a person does with alerts: list, read, assign, resolve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from compliance.aml.alerts import Alert, AlertStatus, assigned, resolved
from compliance.aml.errors import UnknownAlert
from compliance.aml.store import AmlStore
from compliance.errors import InvalidField
from compliance.paging import Page, PageRequest


class AlertService:
    """The door for admins. Every method may also raise StoreUnavailable."""

    def __init__(self, store: AmlStore, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    async def list(
        self, *, status: str | None = None, cursor: str | None = None, limit: int = 50
    ) -> Page[Alert]:
        """Alerts, newest first; `status` leaves out all others. Raises InvalidField."""
        if status is not None and status not in set(AlertStatus):
            raise InvalidField("status", f"Send one of {', '.join(AlertStatus)}, or leave it out.")
        asked = PageRequest.parse(cursor, limit)
        alerts = await self._store.alerts(status, asked.before, asked.limit + 1)
        return asked.page([(alert.alert_id, alert) for alert in alerts])

    async def get(self, alert_id: UUID) -> Alert:
        """One alert. Raises UnknownAlert."""
        alert = await self._store.alert(alert_id)
        if alert is None:
            raise UnknownAlert(alert_id)
        return alert

    async def unresolved_of(self, user_id: UUID) -> Sequence[Alert]:
        """The user's alerts that nobody has resolved yet, oldest first."""
        return await self._store.unresolved_of(user_id)

    async def assign(self, alert_id: UUID, user_id: UUID | None, by: UUID) -> Alert:
        """Give the alert to `user_id`, or to nobody. Raises UnknownAlert, InvalidTransition."""
        return await self._change(
            alert_id, lambda alert: assigned(alert, user_id, by, self._clock())
        )

    async def resolve(self, alert_id: UUID, outcome: str, note: str, by: UUID) -> Alert:
        """End the alert. Raises UnknownAlert, InvalidTransition, InvalidField."""
        return await self._change(
            alert_id, lambda alert: resolved(alert, outcome, note, by, self._clock())
        )

    async def _change(self, alert_id: UUID, change: Callable[[Alert], Alert]) -> Alert:
        async with self._store.transaction() as transaction:
            alert = await transaction.locked_alert(alert_id)
            if alert is None:
                raise UnknownAlert(alert_id)
            changed = change(alert)
            await transaction.save(changed)
        return changed
