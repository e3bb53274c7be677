"""A history and what was found afterwards, side by side as the checks look at them."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from tests.sim.evidence import Entry, Evidence, Payout, Transaction
from tests.sim.history import Call, Key, Request, requests
from tests.sim.model import PURPOSES, payout_key


@dataclass(frozen=True)
class Case:
    """A history and what was found."""

    calls: tuple[Call, ...]
    evidence: Evidence

    @cached_property
    def requests(self) -> dict[Key, Request]:
        return {request.key: request for request in requests(self.calls)}

    @cached_property
    def found(self) -> dict[Key, list[Transaction]]:
        """Transactions by the request that they answer."""
        found: dict[Key, list[Transaction]] = defaultdict(list)
        for transaction in self.evidence.transactions:
            if transaction.key is not None:
                found[transaction.key].append(transaction)
        return found

    @cached_property
    def held(self) -> set[Key]:
        """Requests that made a hold."""
        return {hold.key for hold in self.evidence.holds if hold.key is not None}

    @cached_property
    def payouts(self) -> dict[Key, list[Payout]]:
        """Payouts by the request that they answer."""
        payouts: dict[Key, list[Payout]] = defaultdict(list)
        for payout in self.evidence.payouts:
            payouts[payout.key].append(payout)
        return payouts

    @cached_property
    def asked_by_payouts(self) -> set[Key]:
        """Everything that the steps of the payouts may ask the ledger for."""
        return {
            payout_key(payout.payout_id, purpose)
            for payout in self.evidence.payouts
            for purpose in PURPOSES
        }

    @cached_property
    def happened(self) -> set[Key]:
        """Requests that left a trace: a transaction, a hold, a payout, or an answer."""
        return {*self.found, *self.held, *self.payouts, *self.evidence.answered}

    def trace(self, operation: str) -> Collection[Key]:
        """Where requests of this operation are found."""
        places: dict[str, Collection[Key]] = {
            "hold": self.held,
            "void": self.evidence.answered,
            "payout": self.payouts.keys(),
        }
        return places.get(operation, self.found.keys())

    @cached_property
    def entries(self) -> dict[UUID, list[tuple[Entry, Transaction]]]:
        """Entries of each account row, in their order."""
        entries: dict[UUID, list[tuple[Entry, Transaction]]] = defaultdict(list)
        for transaction in self.evidence.transactions:
            for entry in transaction.entries:
                entries[entry.account_id].append((entry, transaction))
        for each in entries.values():
            each.sort(key=lambda pair: pair[0].order)
        return entries
