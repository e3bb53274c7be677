"""Refusals and faults of the money-laundering checks.

compliance.errors.ComplianceRefusal
└── AlertRefusal
    ├── UnknownAlert        not_found
    └── InvalidTransition   invalid_transition
AmlFault                    no refusal: something is out of order
└── StoreUnavailable        PostgreSQL can't be reached now: try again, later
"""

from typing import ClassVar
from uuid import UUID

from compliance.errors import ComplianceRefusal


class AlertRefusal(ComplianceRefusal):
    """An alert is not changed."""


class UnknownAlert(AlertRefusal):
    """There is no such alert."""

    code: ClassVar[str] = "not_found"

    def __init__(self, alert_id: UUID) -> None:
        super().__init__(f"There is no alert {alert_id}. Look for it in the list of alerts.")


class InvalidTransition(AlertRefusal):
    """The alert's status does not allow it."""

    code: ClassVar[str] = "invalid_transition"

    def __init__(self, action: str, status: str) -> None:
        super().__init__(
            f"You can't {action} an alert that is {status}. Reload it to see what was done."
        )


class AmlFault(Exception):
    """What went wrong inside the checks."""


class StoreUnavailable(AmlFault):
    """PostgreSQL can't be reached, or gave up for a reason that passes."""
