"""What a provider says became of a payout, and what that means beside what is known of it."""

import re
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from ledger.payouts.payout import Payout, may
from ledger.payouts.states import PayoutAction, PayoutState

CURRENCY = re.compile(r"[A-Z]{3,8}", re.ASCII)
"""A currency's code, as whoever tells of a payout must write it."""


class ResultStatus(StrEnum):
    """What became of it."""

    SETTLED = "settled"
    FAILED = "failed"
    RETURNED = "returned"


class ResultSource(StrEnum):
    """Who says so."""

    PROVIDER = "provider"
    FILE = "file"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class PayoutResult:
    """A result; `reference` and `reason` are the provider's."""

    payout_id: UUID
    status: ResultStatus
    amount_minor: int
    currency: str
    reference: str | None
    reason: str | None


class Meaning(StrEnum):
    """What a result is beside what is known."""

    NEWS = "news"
    KNOWN = "known"
    CONTRADICTION = "contradiction"


ACTION_OF = {
    ResultStatus.SETTLED: PayoutAction.SETTLE,
    ResultStatus.FAILED: PayoutAction.FAIL,
    ResultStatus.RETURNED: PayoutAction.RETURN,
}

KNOWN_IN = {
    # That a payout was settled is no news after it came back.
    ResultStatus.SETTLED: {PayoutState.SETTLED, PayoutState.RETURNED},
    ResultStatus.FAILED: {PayoutState.FAILED},
    ResultStatus.RETURNED: {PayoutState.RETURNED, PayoutState.FAILED},
}

UNPAID = frozenset({PayoutState.FAILED, PayoutState.CANCELLED, PayoutState.REJECTED})


def meaning(
    payout: Payout,
    result: PayoutResult,
    source: ResultSource = ResultSource.PROVIDER,
    *,
    came_back: bool = False,
) -> tuple[Meaning, str]:
    """What the result is for this payout, and why where it is a contradiction.

    `came_back`: it failed because it came back before anybody said that it was settled.
    """
    if (result.amount_minor, result.currency) != (payout.amount_minor, payout.currency):
        return Meaning.CONTRADICTION, (
            f"{result.status} with {result.amount_minor} {result.currency},"
            f" but the payout is of {payout.amount_minor} {payout.currency}"
        )
    # What comes back may come under a reference of its own.
    known = None if result.status is ResultStatus.RETURNED else payout.reference
    if None not in (result.reference, known) and result.reference != known:
        return Meaning.CONTRADICTION, (
            f"{result.status} under {result.reference!r}, but it was sent as {payout.reference!r}"
        )
    if may(payout, ACTION_OF[result.status]):
        return Meaning.NEWS, ""
    if _is_known(payout, result.status, source, came_back):
        return Meaning.KNOWN, ""
    return Meaning.CONTRADICTION, f"{result.status}, but the payout is {payout.state}"


def _is_known(payout: Payout, status: ResultStatus, source: ResultSource, came_back: bool) -> bool:
    if payout.transaction_id is not None and payout.state in KNOWN_IN[status]:
        return True
    if came_back and status is ResultStatus.SETTLED:
        return True
    # An admin who was asked to look at it may find that it was not paid, as is known.
    asked = source is ResultSource.ADMIN and payout.attention is not None
    return asked and status is ResultStatus.FAILED and payout.state in UNPAID
