"""Statements: the entries of one account, newest first, a page at a time."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.errors import InvalidPage

MAX_LINES = 100
NEWEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Wallet:
    """What a user has in coins, and has earned.

    `earnings_minor` may not be paid out yet, `earnings_available_minor` may, as far as no open hold
    keeps it back. `held_minor` is what
    open holds keep back of the balance.
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
    """A page of entries; `account_id` is None while the user has no such account yet."""

    account_id: UUID | None
    currency: str
    balance_minor: int
    lines: tuple[StatementLine, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Which entries: the first `limit` below `before`."""

    before: int
    limit: int


def page(cursor: str | None, limit: int) -> Page:
    """What a cursor and a limit ask for; `cursor` is a `next_cursor`, None begins at the newest.

    Raises InvalidPage.
    """
    if not 1 <= limit <= MAX_LINES:
        raise InvalidPage("limit", f"Ask for 1 to {MAX_LINES} lines.")
    if cursor is None:
        return Page(NEWEST, limit)
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 19):
        raise InvalidPage("cursor", "Use the next_cursor of the page before, or none.")
    return Page(int(cursor), limit)
