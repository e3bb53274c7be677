"""Alerts of the anti-money-laundering checks: read, assigned and resolved by admins."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from compliance.aml.alerts import Alert, AlertOutcome, AlertStatus
from server.gateway.body import Body
from server.gateway.route import Answer, Call
from server.http.shapes import Instant, Paging, Shape


class ReasonShape(Shape):
    """Why an alert was raised: the rule, its share of the score, and the figures behind it."""

    rule: str
    score: int
    explanation: str
    figures: dict[str, Any]


class AlertShape(Shape):
    """One alert."""

    alert_id: UUID
    user_id: UUID
    user_name: str
    alert_type: str
    risk_score: int
    status: AlertStatus
    reasons: list[ReasonShape]
    event_ids: list[UUID]
    assigned_to: UUID | None
    outcome: AlertOutcome | None
    note: str | None
    created_at: Instant
    updated_at: Instant
    resolved_at: Instant | None


class AlertPage(Shape):
    """Alerts, newest first."""

    alerts: list[AlertShape]
    next_cursor: str | None


class AlertFilter(Paging):
    """Which alerts; `status` left out means all."""

    status: AlertStatus | None = None


class Assignment(Body):
    """Who looks into it; null gives it back."""

    user_id: UUID | None


class Resolution(Body):
    """What came out."""

    outcome: AlertOutcome
    note: str


async def listed(call: Call) -> Answer:
    """Find alerts."""
    query = call.read(AlertFilter)
    page = await call.services.alerts.list(
        status=query.status, cursor=query.cursor, limit=query.limit
    )
    return Answer(AlertPage(alerts=await _shapes(page.items, call), next_cursor=page.next_cursor))


async def shown(call: Call) -> Answer:
    """One alert."""
    return await _answer(await call.services.alerts.get(call.uuid("alert_id")), call)


async def assign(call: Call) -> Answer:
    """Assign an alert to an admin, or to nobody."""
    assignee = call.read(Assignment).user_id
    if assignee is not None:
        await call.services.identity.user(assignee)
    alert = await call.services.alerts.assign(
        call.uuid("alert_id"), assignee, by=call.principal.user_id
    )
    return await _answer(alert, call)


async def resolve(call: Call) -> Answer:
    """Close an alert."""
    body = call.read(Resolution)
    alert = await call.services.alerts.resolve(
        call.uuid("alert_id"), body.outcome, body.note, by=call.principal.user_id
    )
    return await _answer(alert, call)


async def _answer(alert: Alert, call: Call) -> Answer:
    return Answer((await _shapes([alert], call))[0])


async def _shapes(alerts: Sequence[Alert], call: Call) -> list[AlertShape]:
    names = await call.services.identity.names({alert.user_id for alert in alerts})
    return [
        AlertShape(
            alert_id=alert.alert_id,
            user_id=alert.user_id,
            user_name=names.get(alert.user_id, ""),
            alert_type=alert.alert_type,
            risk_score=alert.risk_score,
            status=alert.status,
            reasons=[ReasonShape.model_validate(reason) for reason in alert.reasons],
            event_ids=list(alert.event_ids),
            assigned_to=alert.assigned_to,
            outcome=alert.outcome,
            note=alert.note,
            created_at=alert.created_at,
            updated_at=alert.updated_at,
            resolved_at=alert.resolved_at,
        )
        for alert in alerts
    ]
