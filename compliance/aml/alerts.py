"""Alerts: what the rules hand to a person, and how they move.

    open ⇄ assigned → resolved, and open → resolved

There is at most one alert of a user and type that is not resolved; what is found meanwhile goes
into it. Its score is always the combined score of its reasons, and never falls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from compliance.aml.detection import Detection
from compliance.aml.errors import InvalidTransition
from compliance.aml.score import AlertType, Finding, combined_score, worst_by_rule
from compliance.errors import InvalidField

MAX_NOTE_CHARS = 2_000


class AlertStatus(StrEnum):
    """Where an alert is in its life."""

    OPEN = "open"
    ASSIGNED = "assigned"
    RESOLVED = "resolved"


class AlertAction(StrEnum):
    """What a person does to an alert; the values are verbs for messages."""

    ASSIGN = "assign"
    UNASSIGN = "unassign"
    RESOLVE = "resolve"


class AlertOutcome(StrEnum):
    """How it was resolved."""

    CLEARED = "cleared"
    CONFIRMED = "confirmed"


TRANSITIONS: Mapping[AlertStatus, Mapping[AlertAction, AlertStatus]] = MappingProxyType(
    {
        AlertStatus.OPEN: {
            AlertAction.ASSIGN: AlertStatus.ASSIGNED,
            AlertAction.UNASSIGN: AlertStatus.OPEN,
            AlertAction.RESOLVE: AlertStatus.RESOLVED,
        },
        AlertStatus.ASSIGNED: {
            AlertAction.ASSIGN: AlertStatus.ASSIGNED,
            AlertAction.UNASSIGN: AlertStatus.OPEN,
            AlertAction.RESOLVE: AlertStatus.RESOLVED,
        },
        AlertStatus.RESOLVED: {},
    }
)


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert, as PROTOCOL.md shows it; `user_id` is whom it is about."""

    alert_id: UUID
    user_id: UUID
    transaction_id: UUID
    """The gift that raised it."""
    alert_type: AlertType
    risk_score: int
    status: AlertStatus
    reasons: tuple[Finding, ...]
    """At most one a rule, its worst; that of the alert's own type first."""
    event_ids: tuple[UUID, ...]
    created_at: datetime
    updated_at: datetime
    assigned_to: UUID | None = None
    assigned_by: UUID | None = None
    outcome: AlertOutcome | None = None
    note: str | None = None
    resolved_by: UUID | None = None
    resolved_at: datetime | None = None


def raised(detection: Detection, alert_id: UUID, now: datetime) -> Alert:
    """A new alert for what was detected."""
    return Alert(
        alert_id=alert_id,
        user_id=detection.user_id,
        transaction_id=detection.transaction_id,
        alert_type=detection.alert_type,
        risk_score=combined_score(detection.reasons),
        status=AlertStatus.OPEN,
        reasons=detection.reasons,
        event_ids=detection.event_ids,
        created_at=now,
        updated_at=now,
    )


def extended(alert: Alert, detection: Detection, most_event_ids: int, now: datetime) -> Alert:
    """The alert with what was found since: of each rule the worst, of the events the latest."""
    reasons = worst_by_rule((*alert.reasons, *detection.reasons))
    event_ids = [each for each in alert.event_ids if each not in detection.event_ids]
    event_ids += detection.event_ids
    return replace(
        alert,
        reasons=reasons,
        risk_score=combined_score(reasons),
        event_ids=tuple(event_ids[-most_event_ids:]),
        updated_at=now,
    )


def is_cooling(judged: Alert | None, detection: Detection) -> bool:
    """Whether a person has lately judged as much: `judged` was resolved within the cool-down."""
    return judged is not None and judged.risk_score >= combined_score(detection.reasons)


def assigned(alert: Alert, to: UUID | None, by: UUID, now: datetime) -> Alert:
    """The alert in the hands of `to`, or of nobody. Raises InvalidTransition."""
    action = AlertAction.UNASSIGN if to is None else AlertAction.ASSIGN
    status = _next_status(alert, action)
    return replace(alert, status=status, assigned_to=to, assigned_by=by, updated_at=now)


def resolved(alert: Alert, outcome: str, note: str, by: UUID, now: datetime) -> Alert:
    """The alert with its end. Raises InvalidField and InvalidTransition."""
    if outcome not in set(AlertOutcome):
        raise InvalidField("outcome", f"Send one of {', '.join(AlertOutcome)}.")
    if not note.strip() or len(note) > MAX_NOTE_CHARS or "\0" in note:
        raise InvalidField("note", f"Say why, in 1 to {MAX_NOTE_CHARS:,} characters.")
    return replace(
        alert,
        status=_next_status(alert, AlertAction.RESOLVE),
        outcome=AlertOutcome(outcome),
        note=note.strip(),
        resolved_by=by,
        resolved_at=now,
        updated_at=now,
    )


def _next_status(alert: Alert, action: AlertAction) -> AlertStatus:
    try:
        return TRANSITIONS[alert.status][action]
    except KeyError:
        raise InvalidTransition(action, alert.status) from None
