"""The rules, row by row, and that more never scores less."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.aml.features import Circle, Features, Totals
from compliance.aml.rules import RULES, circular_gifting, gift_velocity, near_threshold, structuring
from compliance.aml.score import AlertType
from config.aml import AmlSettings
from tests.support.gifts import account

SETTINGS = AmlSettings()
NOTHING = Features(Totals(), Totals())


def recent(gifts: int, amount_minor: int = 0) -> Features:
    return replace(NOTHING, recent=Totals(gifts, amount_minor))


def near(payments: int) -> Features:
    return replace(NOTHING, near_threshold=Totals(payments, payments * 90_000))


def circle(accounts: int, least: int, greatest: int) -> Features:
    ring = tuple(account(number) for number in range(accounts))
    return replace(NOTHING, circle=Circle(ring, least, greatest))


def test_every_type_has_its_rule_and_none_finds_anything_in_nothing() -> None:
    assert set(RULES) == set(AlertType)
    assert all(rule(NOTHING, SETTINGS) is None for rule in RULES.values())


@pytest.mark.parametrize(
    ("gifts", "amount_minor", "score"),
    [
        (30, 200_000, None),
        (31, 310, 50),
        (1, 200_001, 50),
        (60, 600, 75),
        (31, 400_000, 75),
        (90, 900, 100),
        (1_000, 10**9, 100),
    ],
)
def test_gift_velocity(gifts: int, amount_minor: int, score: int | None) -> None:
    finding = gift_velocity(recent(gifts, amount_minor), SETTINGS)
    assert (finding and finding.score) == score


def test_gift_velocity_says_why() -> None:
    finding = gift_velocity(recent(35, 3_500), SETTINGS)
    assert finding is not None
    assert finding.rule == "gift_velocity"
    assert finding.explanation == (
        "35 gifts worth 3,500 coins in 60 s; the limits are 30 gifts and 200,000 coins."
    )
    assert finding.figures == {
        "gifts": 35,
        "amount_minor": 3_500,
        "window_s": 60,
        "limit": 30,
        "limit_minor": 200_000,
    }


@pytest.mark.parametrize(
    ("amount_minor", "near"),
    [(79_999, False), (80_000, True), (99_999, True), (100_000, False), (10, False)],
)
def test_what_is_just_below_the_threshold(amount_minor: int, near: bool) -> None:
    assert near_threshold(amount_minor, SETTINGS) is near


@pytest.mark.parametrize(
    ("payments", "score"), [(0, None), (2, None), (3, 60), (4, 70), (7, 100), (50, 100)]
)
def test_structuring(payments: int, score: int | None) -> None:
    finding = structuring(near(payments), SETTINGS)
    assert (finding and finding.score) == score


def test_structuring_says_why() -> None:
    finding = structuring(near(3), SETTINGS)
    assert finding is not None
    assert finding.explanation == (
        "3 payments of 80,000 to 99,999 coins in 24 h, each just below the threshold of "
        "100,000; together 270,000 coins."
    )
    assert finding.figures["threshold_minor"] == 100_000


@pytest.mark.parametrize(
    ("accounts", "least", "greatest", "score"),
    [
        (2, 5_000, 5_000, 100),
        (2, 4_999, 4_999, None),
        (2, 7_000, 10_000, 78),
        (4, 5_000, 14_577, 52),
        (2, 5_000, 16_666, 50),
        (2, 5_000, 17_300, None),
        (5, 5_000, 5_000, None),
    ],
)
def test_circular_gifting(accounts: int, least: int, greatest: int, score: int | None) -> None:
    finding = circular_gifting(circle(accounts, least, greatest), SETTINGS)
    assert (finding and finding.score) == score


def test_circular_gifting_names_the_accounts_in_its_figures_only() -> None:
    finding = circular_gifting(circle(3, 7_000, 10_000), SETTINGS)
    assert finding is not None
    assert finding.figures["accounts"] == [str(account(number)) for number in range(3)]
    assert finding.explanation == (
        "Gifts went round 3 accounts and came back to their giver within 24 h: every hop carried "
        "7,000 to 10,000 coins, a return of 70 %."
    )


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 10**6), st.integers(0, 10**6))
def test_more_gifts_never_score_less(gifts: int, more: int, amount: int, further: int) -> None:
    for rule, less, greater in [
        (gift_velocity, recent(gifts, amount), recent(gifts + more, amount + further)),
        (structuring, near(gifts), near(gifts + more)),
    ]:
        before, after = rule(less, SETTINGS), rule(greater, SETTINGS)
        if before is not None:
            assert after is not None
            assert 1 <= before.score <= after.score <= 100


@given(st.integers(5_000, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_greater_return_never_scores_less(least: int, up: int, wide: int) -> None:
    before = circular_gifting(circle(2, least, least + up + wide), SETTINGS)
    after = circular_gifting(circle(2, least + up, least + up + wide), SETTINGS)
    if before is not None:
        assert after is not None
        assert 50 <= before.score <= after.score <= 100
