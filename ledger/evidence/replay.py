"""The books played again from nothing, batch by batch, and everything that does not come out.

What must hold, for every batch in order of the log:

- its rows are what was chained (where a link is given)
- every transaction has entries, every entry a transaction of the same batch, and an account
- the entries of a transaction sum to zero in each currency, and none is zero
- an entry's balance is the balance before it and its amount; time does not run backwards
- a guarded account is not below zero
- what its events tell of holds and currencies can be (ledger/evidence/told.py)

and in the end that balances are those of the accounts. An account that is met in the middle of a
replay, because it did not begin at the first batch, is taken at its word once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledger.evidence.batches import Batch, batch_digest
from ledger.evidence.encoding import ENTRY, instant
from ledger.evidence.findings import Finding, changed_batch, transaction_name, transaction_octets
from ledger.evidence.links import Link
from ledger.evidence.told import Told

NEVER = -(2**63)
"""Before any entry's instant."""


@dataclass(slots=True)
class _State:
    """An account as the replay has it; `moved` is the instant of its newest entry."""

    currency: str
    guarded: bool
    balance: int | None
    moved: int = NEVER


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A row of accounts as it stands; `open_holds_minor` is the sum of its open holds."""

    account_id: UUID
    currency: str
    guarded: bool
    balance_minor: int
    held_minor: int
    moved_at: datetime
    open_holds_minor: int


class Replay:
    """Plays batches; what is wrong gathers in `findings`."""

    def __init__(self, *, from_the_beginning: bool) -> None:
        self.findings: list[Finding] = []
        self.entries = self.transactions = self.batches = 0
        self._opening = 0 if from_the_beginning else None
        self._states: dict[bytes, _State] = {}
        self.told = Told()
        """Of no use where the replay did not begin at the first batch: nothing is noted then."""

    def knows(self, account_id: UUID) -> bool:
        """Whether the account was added."""
        return account_id.bytes in self._states

    def add_account(self, account_id: UUID, currency: str, *, guarded: bool) -> None:
        """An account that entries may name. Known ones are left as they are."""
        self._states.setdefault(account_id.bytes, _State(currency, guarded, self._opening))

    def play(self, batch: Batch, link: Link | None) -> None:
        """Play the next batch; `link` is its link, None where it is not chained yet."""
        if link is not None and batch_digest(batch) != link.digest:
            self.findings.append(changed_batch(link, batch))
        elif len(batch.log) != 1:
            problem = f"{len(batch.log)} rows of this sequence, where others count on one"
            self._find("event_log", f"sequence {batch.sequence}", problem)
        elif self._opening is not None:
            self.findings += self.told.note(batch.log)
        self._play_entries(batch)
        self.batches += 1
        self.transactions += len(batch.transactions)

    def compare(self, rows: Iterable[AccountRow]) -> None:
        """Compare the accounts with what the replay of everything made of them."""
        for row in rows:
            state = self._states.get(row.account_id.bytes)
            moved_at = None if state is None or state.moved == NEVER else instant(state.moved)
            for problem in _account_problems(row, 0 if state is None else state.balance, moved_at):
                self._find("accounts", f"account_id {row.account_id}", problem)

    def _play_entries(self, batch: Batch) -> None:
        states = self._states
        sums: dict[tuple[bytes, str], int] = {}
        last, of, total = b"", "", 0  # entries of a transaction mostly stand together
        for entry_id, transaction, account, amount, balance, _, at in ENTRY.iter_unpack(
            batch.entries
        ):
            state = states.get(account)
            if state is None:
                self._find_entry(entry_id, f"there is no account {UUID(bytes=account)}")
                continue
            before = state.balance
            if (
                (before is not None and before + amount != balance)
                or at < state.moved
                or (balance < 0 and state.guarded)
                or amount == 0
            ):
                self._judge_entry(entry_id, amount, balance, at, state)
            state.balance = balance
            state.moved = at
            if transaction != last or state.currency != of:
                sums[last, of] = sums.get((last, of), 0) + total
                last, of, total = transaction, state.currency, 0
            total += amount
        sums[last, of] = sums.get((last, of), 0) + total
        del sums[b"", ""]
        self.entries += len(batch.entries) // ENTRY.size
        self._judge_sums(batch, sums)

    def _judge_entry(
        self, entry_id: int, amount: int, balance: int, at: int, state: _State
    ) -> None:
        before = state.balance
        if amount == 0:
            self._find_entry(entry_id, "its amount is zero")
        if before is not None and before + amount != balance:
            self._find_entry(entry_id, f"{before} and {amount} are not {balance}")
        if at < state.moved:
            earlier, later = instant(at), instant(state.moved)
            self._find_entry(entry_id, f"posted at {earlier}, before the one before it ({later})")
        if balance < 0 and state.guarded:
            self._find_entry(entry_id, f"it takes a guarded account below zero, to {balance}")

    def _judge_sums(self, batch: Batch, sums: dict[tuple[bytes, str], int]) -> None:
        if any(sums.values()):
            for (transaction, currency), total in sums.items():
                if total:
                    name = f"transaction_id {UUID(bytes=transaction)}"
                    problem = f"its entries sum to {total} {currency}, not to zero"
                    self._find("transactions", name, problem)
        posted = {transaction for transaction, _ in sums}
        known = {transaction_octets(row) for row in batch.transactions}
        if posted != known:
            for row in batch.transactions:
                if transaction_octets(row) not in posted:
                    self._find("transactions", transaction_name(row), "it has no entries")
            for unknown in sorted(posted - known):
                name = f"transaction_id {UUID(bytes=unknown)}"
                self._find("transactions", name, f"no such row in batch {batch.sequence}")

    def _find_entry(self, entry_id: int, problem: str) -> None:
        self._find("journal_entries", f"entry_id {entry_id}", problem)

    def _find(self, table: str, row: str, problem: str) -> None:
        self.findings.append(Finding(table, row, problem))


def _account_problems(
    row: AccountRow, balance: int | None, moved_at: datetime | None
) -> Iterable[str]:
    if balance is not None and row.balance_minor != balance:
        yield f"balance_minor is {row.balance_minor}, its entries come to {balance}"
    if moved_at is not None and row.moved_at != moved_at:
        yield f"moved_at is {row.moved_at}, its newest entry was posted at {moved_at}"
    if moved_at is None and balance is not None and row.moved_at.timestamp() != 0:
        yield f"moved_at is {row.moved_at}, but it has no entry"
    if row.held_minor != row.open_holds_minor:
        yield f"held_minor is {row.held_minor}, its open holds come to {row.open_holds_minor}"
    if row.guarded and row.balance_minor < row.held_minor:
        yield f"guarded, but its balance {row.balance_minor} is below what is held"
