"""Settings of sagas."""

from typing import Self

from pydantic import Field, model_validator

from config.section import Section


class SagaSettings(Section):
    """How steps are done and tried again."""

    poll_s: float = Field(default=1.0, gt=0, le=60)
    """How often events and tasks are looked for when no append of this process asks for it."""

    parallel_steps: int = Field(default=8, ge=1, le=100)
    """Most steps at once; at most one of each payout or purchase."""

    step_timeout_s: float = Field(default=30.0, gt=0, le=600)
    """How long a step may take; then it counts as failed and is tried again."""

    lease_s: float = Field(default=60.0, gt=0, le=3600)
    """How long a step belongs to the process that took it; longer than it may take."""

    most_attempts: int = Field(default=10, ge=1, le=100)
    """How often a step is tried before it is given up and waits for an admin."""

    first_backoff_s: float = Field(default=1.0, gt=0, le=60)
    """Pause after the first failure; each further one doubles it."""

    longest_backoff_s: float = Field(default=600.0, gt=0, le=86_400)
    """Longest pause between two attempts."""

    @model_validator(mode="after")
    def _lease_outlives_step(self) -> Self:
        if self.lease_s <= self.step_timeout_s:
            raise ValueError("lease_s: must be longer than step_timeout_s")
        return self
