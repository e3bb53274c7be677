"""The chart of accounts, and the trial balance over it.

In the books a credit is positive and a debit negative. An account's normal side is the one on which
its balance stands; all but issuance are guarded: the database keeps them from going below zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class AccountCode(StrEnum):
    """Which account of the chart; the values stand in `ledger.accounts.code`."""

    ISSUANCE = "issuance"
    WALLET = "wallet"
    EARNINGS = "earnings"
    FEES = "fees"


class AccountKind(StrEnum):
    """What a balance means to the house."""

    EXPENSE = "expense"
    LIABILITY = "liability"
    REVENUE = "revenue"


class Side(StrEnum):
    """The two sides of an account."""

    DEBIT = "debit"
    CREDIT = "credit"


NORMAL_SIDE = MappingProxyType(
    {
        AccountKind.EXPENSE: Side.DEBIT,
        AccountKind.LIABILITY: Side.CREDIT,
        AccountKind.REVENUE: Side.CREDIT,
    }
)


@dataclass(frozen=True, slots=True)
class ChartEntry:
    """One line of the chart; `per_user` accounts have an owner, the others are the house's own."""

    code: AccountCode
    name: str
    kind: AccountKind
    per_user: bool

    @property
    def guarded(self) -> bool:
        """Whether the balance may never go below zero."""
        return NORMAL_SIDE[self.kind] is Side.CREDIT


CHART = MappingProxyType(
    {
        line.code: line
        for line in (
            ChartEntry(AccountCode.ISSUANCE, "Coins issued", AccountKind.EXPENSE, per_user=False),
            ChartEntry(AccountCode.WALLET, "Wallets", AccountKind.LIABILITY, per_user=True),
            ChartEntry(AccountCode.EARNINGS, "Earnings", AccountKind.LIABILITY, per_user=True),
            ChartEntry(AccountCode.FEES, "Gift fees", AccountKind.REVENUE, per_user=False),
        )
    }
)


@dataclass(frozen=True, slots=True)
class TrialBalanceLine:
    """The balances of all accounts of one code: debits and credits, both as positive amounts."""

    code: AccountCode
    name: str
    kind: AccountKind
    debit_minor: int
    credit_minor: int
    accounts: int


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """One line for every code of the chart, in its order."""

    currency: str
    accounts: tuple[TrialBalanceLine, ...]

    @property
    def total_debit_minor(self) -> int:
        return sum(line.debit_minor for line in self.accounts)

    @property
    def total_credit_minor(self) -> int:
        return sum(line.credit_minor for line in self.accounts)

    @property
    def balanced(self) -> bool:
        return self.total_debit_minor == self.total_credit_minor


def trial_balance(currency: str, totals: Mapping[str, tuple[int, int, int]]) -> TrialBalance:
    """The whole chart; `totals` has the last three fields of a line for the codes in use."""
    unused = (0, 0, 0)
    return TrialBalance(
        currency,
        tuple(
            TrialBalanceLine(line.code, line.name, line.kind, *totals.get(line.code, unused))
            for line in CHART.values()
        ),
    )
