"""Settings of the ledger."""

from typing import Self

from pydantic import Field, model_validator

from config.payouts import PayoutSettings
from config.reconcile import ReconcileSettings
from config.section import Section

MAX_PRICE_MINOR = 10**9
MAX_COUNT = 10**6
MAX_AMOUNT_MINOR = MAX_PRICE_MINOR * MAX_COUNT
"""Most that one request may move; thousands of such amounts still fit a 64-bit balance."""


class GiftSettings(Section):
    """One gift of the catalogue."""

    gift_id: str = Field(pattern=r"^[a-z0-9_]{1,32}$")
    """What requests name it by; never reuse one for another gift."""

    name: str = Field(pattern=r"^\w[\w '&-]{0,31}$")
    """What people read."""

    emoji: str = Field(min_length=1, max_length=16, pattern=r"^\S+$")
    """What people see."""

    price_minor: int = Field(ge=1, le=MAX_PRICE_MINOR)
    """Price of one piece in minor units of the ledger's currency."""


DEFAULT_GIFTS = (
    GiftSettings(gift_id="rose", name="Rose", emoji="🌹", price_minor=10),
    GiftSettings(gift_id="heart", name="Heart", emoji="💖", price_minor=50),
    GiftSettings(gift_id="confetti", name="Confetti", emoji="🎉", price_minor=100),
    GiftSettings(gift_id="trophy", name="Trophy", emoji="🏆", price_minor=500),
    GiftSettings(gift_id="diamond", name="Diamond", emoji="💎", price_minor=1_000),
    GiftSettings(gift_id="rocket", name="Rocket", emoji="🚀", price_minor=5_000),
    GiftSettings(gift_id="castle", name="Castle", emoji="🏰", price_minor=20_000),
)


class OutboxSettings(Section):
    """Publishing of the event log."""

    turn_batches: int = Field(default=32, ge=1, le=1_000)
    """Most batches of the log that are published at once; each holds up to `max_batch` events."""

    poll_s: float = Field(default=1.0, gt=0, le=60)
    """How often the log is looked at when no commit of this process asks for it."""

    publish_timeout_s: float = Field(default=5.0, gt=0, le=60)
    """How long one batch may take to publish; then it counts as failed and is published again."""

    longest_backoff_s: float = Field(default=10.0, gt=0, le=300)
    """Longest pause between attempts while publishing fails."""


class EvidenceSettings(Section):
    """The hash chain and its checkpoints."""

    chain_every_s: float = Field(default=0.5, gt=0, le=60)
    """How often what was committed is linked to the chain."""

    batch_events: int = Field(default=10_000, ge=1, le=1_000_000)
    """Most events that one turn of chaining takes; a backlog is worked off turn by turn."""

    checkpoint_every_s: float = Field(default=3600, ge=1, le=86_400)
    """How often the end of the chain is signed, where it has moved."""


class LedgerSettings(Section):
    """Gifts, coins and fees."""

    currency: str = Field(default="COIN", pattern=r"^[A-Z]{3,8}$")
    """Currency of gifts and wallets."""

    gifts: tuple[GiftSettings, ...] = Field(default=DEFAULT_GIFTS, min_length=1, max_length=200)
    """The gifts on sale, in the order in which they are shown."""

    fee_basis_points: int = Field(default=3000, ge=0, le=10_000)
    """The platform's share of a gift in hundredths of a percent, rounded down."""

    max_gift_count: int = Field(default=1000, ge=1, le=MAX_COUNT)
    """Most pieces of one gift in one request."""

    max_grant_minor: int = Field(default=10**9, ge=1, le=MAX_AMOUNT_MINOR)
    """Most coins that one grant may issue."""

    max_in_flight: int = Field(default=5000, ge=1)
    """Most calls at once, waiting ones included; further ones are refused as `unavailable`."""

    max_batch: int = Field(default=1000, ge=1, le=10_000)
    """Most gifts that are committed together."""

    gift_writers: int = Field(default=2, ge=1, le=16)
    """Connections that post gifts, each a batch at a time, which share what waits when many do."""

    request_days: int = Field(default=30, ge=1, le=3650)
    """How long the answer of a request is kept for repeats; a later repeat is refused."""

    acquire_timeout_s: float = Field(default=2.0, gt=0, le=60)
    """How long a call waits for a database connection before it is refused as `unavailable`."""

    statement_timeout_s: float = Field(default=5.0, gt=0, le=60)
    """How long one statement may run before it is cancelled and refused as `unavailable`."""

    lock_timeout_s: float = Field(default=1.0, gt=0, le=60)
    """How long gifts wait for a wallet that is locked; then those that need it are refused."""

    outbox: OutboxSettings = OutboxSettings()
    """Publishing of the event log."""

    payouts: PayoutSettings = PayoutSettings()
    """Payouts of earnings, and sagas."""

    evidence: EvidenceSettings = EvidenceSettings()
    """The hash chain and its checkpoints."""

    reconcile: ReconcileSettings = ReconcileSettings()
    """Comparing the ledger with what it published and with payment providers."""

    @model_validator(mode="after")
    def _gift_ids_differ(self) -> Self:
        ids = [gift.gift_id for gift in self.gifts]
        if len(set(ids)) < len(ids):
            raise ValueError("gifts: two gifts have the same gift_id")
        return self
