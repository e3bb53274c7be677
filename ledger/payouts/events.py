"""What happens to a payout, as it is kept in the event store."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, slots=True)
class PayoutRequested:
    """A user asked for it."""

    TYPE: ClassVar[str] = "payout.requested"
    VERSION: ClassVar[int] = 1
    user_id: UUID
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class PayoutFlagged:
    """A person must look at it; `by` is the admin who wants it, None for the check."""

    TYPE: ClassVar[str] = "payout.flagged"
    VERSION: ClassVar[int] = 1
    reason: str
    by: UUID | None


@dataclass(frozen=True, slots=True)
class PayoutApproved:
    """It may be paid; `by` is the admin who decided it, None for the check."""

    TYPE: ClassVar[str] = "payout.approved"
    VERSION: ClassVar[int] = 1
    reason: str
    by: UUID | None


@dataclass(frozen=True, slots=True)
class PayoutHeld:
    """Its amount is kept back on the user's available earnings."""

    TYPE: ClassVar[str] = "payout.held"
    VERSION: ClassVar[int] = 1
    hold_id: UUID


@dataclass(frozen=True, slots=True)
class PayoutSending:
    """It goes to a provider, and can't be cancelled any more."""

    TYPE: ClassVar[str] = "payout.sending"
    VERSION: ClassVar[int] = 1
    provider: str
    batch_id: UUID | None


@dataclass(frozen=True, slots=True)
class PayoutCaptured:
    """The held amount was posted to the account of payouts that are on their way."""

    TYPE: ClassVar[str] = "payout.captured"
    VERSION: ClassVar[int] = 1
    transaction_id: UUID


@dataclass(frozen=True, slots=True)
class PayoutSent:
    """The provider has taken it; `reference` is what the provider calls it, where it said so."""

    TYPE: ClassVar[str] = "payout.sent"
    VERSION: ClassVar[int] = 1
    reference: str | None


@dataclass(frozen=True, slots=True)
class PayoutSettled:
    """The user has the money. `source`: provider, file or admin."""

    TYPE: ClassVar[str] = "payout.settled"
    VERSION: ClassVar[int] = 1
    reference: str | None
    source: str
    by: UUID | None


@dataclass(frozen=True, slots=True)
class PayoutFailed:
    """It was not paid. `source`: books, provider, file or admin."""

    TYPE: ClassVar[str] = "payout.failed"
    VERSION: ClassVar[int] = 1
    reason: str
    source: str
    by: UUID | None


@dataclass(frozen=True, slots=True)
class PayoutReturned:
    """It was paid and came back. Where nobody had said that it was paid, it has failed by this."""

    TYPE: ClassVar[str] = "payout.returned"
    VERSION: ClassVar[int] = 1
    reason: str
    source: str
    by: UUID | None


@dataclass(frozen=True, slots=True)
class PayoutCancelled:
    """Its user took it back."""

    TYPE: ClassVar[str] = "payout.cancelled"
    VERSION: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class PayoutRejected:
    """An admin refused it."""

    TYPE: ClassVar[str] = "payout.rejected"
    VERSION: ClassVar[int] = 1
    reason: str
    by: UUID


@dataclass(frozen=True, slots=True)
class PayoutBooked:
    """What followed from its end is in the books. `purpose`: cleared or given_back."""

    TYPE: ClassVar[str] = "payout.booked"
    VERSION: ClassVar[int] = 1
    purpose: str
    transaction_id: UUID | None


@dataclass(frozen=True, slots=True)
class PayoutContradicted:
    """A result came that can't be true beside what is known: an admin must look at it."""

    TYPE: ClassVar[str] = "payout.contradicted"
    VERSION: ClassVar[int] = 1
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class PayoutConfirmed:
    """An admin has looked at a contradiction, and says that it is as was known: as `status`."""

    TYPE: ClassVar[str] = "payout.confirmed"
    VERSION: ClassVar[int] = 1
    status: str
    by: UUID | None


PAYOUT_EVENTS = (
    PayoutRequested,
    PayoutFlagged,
    PayoutApproved,
    PayoutHeld,
    PayoutSending,
    PayoutCaptured,
    PayoutSent,
    PayoutSettled,
    PayoutFailed,
    PayoutReturned,
    PayoutCancelled,
    PayoutRejected,
    PayoutBooked,
    PayoutContradicted,
    PayoutConfirmed,
)
