"""Settings of the anti-money-laundering checks.

Amounts are minor units of the coins that gifts cost. The defaults take a coin for about a US cent
and fit a catalogue of gifts from 10 to 20,000 coins.
"""

from typing import Self

from pydantic import Field, model_validator

from config.section import Section


class AmlSettings(Section):
    """Rules over the ledger's events, alerts, and the worker that runs them."""

    velocity_window_s: int = Field(default=60, ge=1, le=86_400)
    """Window in which `gift_velocity` counts what one payer gives."""

    velocity_max_gifts: int = Field(default=30, ge=1)
    """Gift transactions of one payer in the window that are still usual; more are a finding."""

    velocity_max_amount_minor: int = Field(default=200_000, ge=1)
    """Coins that one payer gives in the window that are still usual; more are a finding."""

    structuring_threshold_minor: int = Field(default=100_000, ge=100)
    """Amount of one payment that has to be reported or looked into; about 1,000 US dollars, from
    which FATF Recommendation 16 asks for the originator's verified identity."""

    structuring_floor_percent: int = Field(default=80, ge=50, le=99)
    """A payment of at least this share of the threshold, and below it, is *just below*."""

    structuring_min_payments: int = Field(default=3, ge=2)
    """Payments of one payer just below the threshold, in the window, that make a finding."""

    structuring_window_s: int = Field(default=86_400, ge=60, le=604_800)
    """Window of `structuring`."""

    circular_window_s: int = Field(default=86_400, ge=3_600, le=604_800, multiple_of=3_600)
    """Window in which gifts that come back to their giver are one circle; whole hours."""

    circular_max_length: int = Field(default=4, ge=2, le=5)
    """Most accounts in a circle; 2 is A → B → A."""

    circular_min_amount_minor: int = Field(default=5_000, ge=1)
    """Coins that every hop of a circle carries at least; smaller favours are not looked at."""

    circular_min_return_percent: int = Field(default=30, ge=1, le=99)
    """Smallest hop of a circle as a share of its greatest. A circle of four whose every hop gives
    on what is left after a fee of 30 % still has 34 %."""

    alert_score: int = Field(default=50, ge=1, le=100)
    """Combined score from which an alert is raised."""

    alert_cooldown_s: int = Field(default=86_400, ge=0)
    """After an alert was resolved, the same user and type raise no new one for so long, unless
    the score is above what the person who resolved it had judged."""

    alert_max_event_ids: int = Field(default=100, ge=1, le=1_000)
    """Events that an alert names; of more, the latest."""

    history_per_payer: int = Field(default=200, ge=50, le=10_000)
    """Past gifts of one payer that a rule reads back at most, the latest ones."""

    edges_per_batch: int = Field(default=10_000, ge=100, le=100_000)
    """Pairs of accounts that the search for circles reads a hop at most, the greatest first."""

    retention_s: int = Field(default=2_592_000, ge=604_800)
    """How long gifts are remembered by the checks, at least a week. Repeats are recognised for
    so long; an older event is set aside as a dead letter, as nobody can tell if it is new."""

    prune_interval_s: float = Field(default=60.0, gt=0)
    """How often what is older than `retention_s` is removed."""

    batch_entries: int = Field(default=16, ge=1, le=1_000)
    """Entries of the event stream that are read at once, each a batch of events."""

    batch_gifts: int = Field(default=1_000, ge=1, le=20_000)
    """Gifts that are handled in one transaction at most."""

    block_ms: int = Field(default=1_000, ge=1, le=4_000)
    """How long one read of the event stream waits for something to come."""

    claim_idle_ms: int = Field(default=10_000, ge=1)
    """An entry that its consumer has not finished for so long is taken over by another."""

    max_deliveries: int = Field(default=5, ge=1)
    """Tries of an entry before it is set aside as a dead letter."""

    retry_max_s: float = Field(default=5.0, gt=0)
    """Longest pause between tries while PostgreSQL can't be reached."""

    @property
    def structuring_floor_minor(self) -> int:
        """Least amount that is just below the threshold, rounded up to a whole coin."""
        return -(-self.structuring_threshold_minor * self.structuring_floor_percent // 100)

    @model_validator(mode="after")
    def _history_holds_what_rules_count(self) -> Self:
        most = max(self.velocity_max_gifts, self.structuring_min_payments)
        if self.history_per_payer <= most:
            raise ValueError(
                f"history_per_payer must be above {most}, the greatest count that a rule waits for"
            )
        return self
