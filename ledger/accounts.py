"""The chart of accounts, and the trial balance over it.

In the books a credit is positive and a debit negative. An account's normal side is the one on which
its balance stands. Accounts whose normal side is credit are guarded: the database keeps what is on
them, less what is held, from going below zero. A logical account is (owner, code, currency); in the
database it may be several rows, so that writers do not wait for each other, and is summed on read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class AccountCode(StrEnum):
    """Which account of the chart; the values stand in `ledger.accounts.code`."""

    ISSUANCE = "issuance"
    """Where granted coins come from."""
    PAYMENT_CLEARING = "payment_clearing"
    """Money at the payment providers, for coins that were bought."""
    WALLET = "wallet"
    EARNINGS = "earnings"
    """What a streamer has earned and may not have paid out yet."""
    EARNINGS_AVAILABLE = "earnings_available"
    """Matured earnings."""
    PAYOUTS = "payouts"
    """On its way to streamers."""
    CHARGEBACK_RESERVE = "chargeback_reserve"
    """Below zero: what a user owes the house, to be had from their next earnings."""
    FEES = "fees"
    REFUNDS = "refunds"
    """What the house gave back at its own cost."""


class AccountKind(StrEnum):
    """What a balance means to the house."""

    ASSET = "asset"
    EXPENSE = "expense"
    LIABILITY = "liability"
    REVENUE = "revenue"


class Side(StrEnum):
    """The two sides of an account."""

    DEBIT = "debit"
    CREDIT = "credit"


NORMAL_SIDE = MappingProxyType(
    {
        AccountKind.ASSET: Side.DEBIT,
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
            ChartEntry(
                AccountCode.PAYMENT_CLEARING, "Payment clearing", AccountKind.ASSET, per_user=False
            ),
            ChartEntry(AccountCode.WALLET, "Wallets", AccountKind.LIABILITY, per_user=True),
            ChartEntry(AccountCode.EARNINGS, "Earnings", AccountKind.LIABILITY, per_user=True),
            ChartEntry(
                AccountCode.EARNINGS_AVAILABLE,
                "Earnings, available",
                AccountKind.LIABILITY,
                per_user=True,
            ),
            ChartEntry(
                AccountCode.PAYOUTS, "Payouts under way", AccountKind.LIABILITY, per_user=False
            ),
            ChartEntry(
                AccountCode.CHARGEBACK_RESERVE,
                "Owed after chargebacks",
                AccountKind.ASSET,
                per_user=True,
            ),
            ChartEntry(AccountCode.FEES, "Gift fees", AccountKind.REVENUE, per_user=False),
            ChartEntry(AccountCode.REFUNDS, "Refunds", AccountKind.EXPENSE, per_user=False),
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
