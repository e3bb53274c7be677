"""What is found afterwards: in the ledger, the event stream, a reader's memory, and at the bank."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from tests.sim.history import Key

UNGUARDED = frozenset({"issuance", "payment_clearing", "refunds", "chargeback_reserve"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One journal entry; `order` grows along the entries of an account row."""

    order: int
    account_id: UUID
    owner_id: UUID | None
    code: str
    amount_minor: int
    balance_minor: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction with its entries, and the request that it answers."""

    transaction_id: UUID
    key: Key | None
    kind: str
    entries: tuple[Entry, ...]

    def legs(self) -> dict[tuple[UUID | None, str], int]:
        """What it moved, by owner and account code."""
        legs: dict[tuple[UUID | None, str], int] = {}
        for entry in self.entries:
            leg = entry.owner_id, entry.code
            legs[leg] = legs.get(leg, 0) + entry.amount_minor
        return {leg: amount for leg, amount in legs.items() if amount}


@dataclass(frozen=True, slots=True)
class Account:
    """One account row."""

    account_id: UUID
    owner_id: UUID | None
    code: str
    balance_minor: int
    held_minor: int = 0


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold, and the request that made it."""

    hold_id: UUID
    key: Key | None
    account_id: UUID
    amount_minor: int
    captured_minor: int
    is_open: bool


@dataclass(frozen=True, slots=True)
class Payout:
    """One payout, and the request that made it."""

    payout_id: UUID
    key: Key
    amount_minor: int
    state: str
    hold_id: UUID | None
    attention: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What the bank was asked for under one idempotency key, and what it made of it."""

    payout_id: UUID
    amounts: frozenset[int]
    """All amounts that came under the key."""
    status: str
    """settled, failed, returned, or refused."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All of it."""

    transactions: tuple[Transaction, ...]
    accounts: tuple[Account, ...]
    log: tuple[tuple[UUID, UUID | None], ...]
    """Event id and transaction, in log order."""
    stream: tuple[UUID, ...]
    """Event ids in the order of the stream, repeats and all."""
    effects: Mapping[tuple[UUID, UUID], int]
    """What a reader of the stream added up: gifts in minor units by payer and payee."""
    holds: tuple[Hold, ...] = ()
    answered: frozenset[Key] = frozenset()
    """Requests that the ledger knows an answer to."""
    payouts: tuple[Payout, ...] = ()
    steps_left: tuple[str, ...] = ()
    """Steps of sagas that are not done."""
    orders: tuple[Order, ...] = ()
    unguarded: frozenset[str] = UNGUARDED
    """Codes of accounts that may go below zero."""
