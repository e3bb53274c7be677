"""Statements: the entries of one account, newest first, a page at a time."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from ledger.errors import InvalidPage

StatementAccount = Literal["wallet", "earnings", "earnings_available"]
"""The accounts of a user that have statements: earnings are pending first, then available."""

MAX_LINES = 1000
"""Most entries of a page."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
BEGINNING, END = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
"""Before and behind all that is posted."""

_CURSOR = re.compile(r"(\d{1,18})-(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wallet:
    """What a user has in coins, and has earned.

    `earnings_minor` may not be paid out yet, `earnings_available_minor` may: it is what no open
    hold keeps back, less what is owed after a chargeback. `held_minor` is what open holds keep back
    of the balance.
    """

    balance_minor: int
    earnings_minor: int
    currency: str
    earnings_available_minor: int = 0
    held_minor: int = 0


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One entry; `balance_minor` is the account's balance after it."""

    entry_id: int
    transaction_id: UUID
    kind: str
    amount_minor: int
    balance_minor: int
    description: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Statement:
    """A page of entries; `account_id` is None while the user has no such account yet.

    `balance_minor` is the account's now, the opening and closing ones are those of the period.
    """

    account_id: UUID | None
    currency: str
    balance_minor: int
    opening_balance_minor: int
    closing_balance_minor: int
    lines: tuple[StatementLine, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Period:
    """From `begins_at` to before `ends_at`; None is open."""

    begins_at: datetime | None = None
    ends_at: datetime | None = None

    @property
    def first(self) -> datetime:
        """The first instant of it."""
        return BEGINNING if self.begins_at is None else self.begins_at

    @property
    def end(self) -> datetime:
        """The first instant behind it."""
        return END if self.ends_at is None else self.ends_at


ALWAYS = Period()


@dataclass(frozen=True, slots=True)
class Place:
    """Before the entry of this id among those posted at this instant."""

    posted_at: datetime
    entry_id: int

    def cursor(self) -> str:
        """As pages name it."""
        return f"{(self.posted_at - EPOCH) // MICROSECOND}-{self.entry_id}"


@dataclass(frozen=True, slots=True)
class Page:
    """Which entries: the first `limit` of the period before a place."""

    period: Period
    before: Place
    limit: int


def page(cursor: str | None, limit: int, period: Period = ALWAYS) -> Page:
    """What is asked for; `cursor` is a `next_cursor`, None begins at the newest of the period.

    Raises InvalidPage.
    """
    if not 1 <= limit <= MAX_LINES:
        raise InvalidPage("limit", f"Ask for 1 to {MAX_LINES} lines.")
    if period.first >= period.end:
        raise InvalidPage("to", "Let the period end behind its beginning.")
    newest = Place(period.end, -1)
    if cursor is None:
        return Page(period, newest, limit)
    if (found := _CURSOR.fullmatch(cursor)) is None:
        raise InvalidPage("cursor", "Use the next_cursor of the page before, or none.")
    try:
        at = EPOCH + int(found[1]) * MICROSECOND
    except OverflowError:
        raise InvalidPage("cursor", "Use the next_cursor of the page before, or none.") from None
    before = min(
        Place(at, int(found[2])), newest, key=lambda place: (place.posted_at, place.entry_id)
    )
    return Page(period, before, limit)
