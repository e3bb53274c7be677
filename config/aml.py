"""Settings of the anti-money-laundering checks."""

from pydantic import Field

from config.section import Section


class AmlSettings(Section):
    """Rules over the ledger's events."""

    alert_score: int = Field(default=50, ge=1, le=100)
    """Score from which an alert is raised."""
