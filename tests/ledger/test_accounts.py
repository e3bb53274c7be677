"""The chart of accounts and the trial balance over it."""

from ledger.accounts import CHART, NORMAL_SIDE, AccountCode, Side, trial_balance


def test_every_code_is_in_the_chart_once():
    assert list(CHART) == [line.code for line in CHART.values()]
    assert set(CHART) == set(AccountCode)


def test_what_is_on_the_credit_side_may_not_go_below_zero():
    free = {line.code for line in CHART.values() if not line.guarded}
    assert free == {
        AccountCode.ISSUANCE,
        AccountCode.PAYMENT_CLEARING,
        AccountCode.CHARGEBACK_RESERVE,
        AccountCode.REFUNDS,
    }
    assert all(NORMAL_SIDE[CHART[code].kind] is Side.DEBIT for code in free)


def test_the_trial_balance_shows_the_whole_chart():
    empty = trial_balance("COIN", {})
    assert [line.code for line in empty.accounts] == list(CHART)
    assert (empty.total_debit_minor, empty.total_credit_minor, empty.balanced) == (0, 0, True)


def test_the_trial_balance_adds_up_both_sides():
    balance = trial_balance(
        "COIN", {"issuance": (100, 0, 2), "wallet": (0, 70, 3), "earnings": (0, 30, 1)}
    )
    assert (balance.total_debit_minor, balance.total_credit_minor) == (100, 100)
    assert balance.balanced
    wallets = next(line for line in balance.accounts if line.code == "wallet")
    assert (wallets.name, wallets.kind, wallets.accounts) == ("Wallets", "liability", 3)


def test_a_missing_unit_shows():
    assert not trial_balance("COIN", {"issuance": (100, 0, 1), "wallet": (0, 99, 1)}).balanced
