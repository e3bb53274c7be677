"""The score: bounds, monotonicity, and the formula as it is written down."""

from fractions import Fraction
from math import floor, prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.aml.score import AlertType, Finding, combined_score, excess_score, worst_by_rule

SCORES = st.lists(st.integers(0, 100), max_size=8)


def findings(scores: list[int]) -> list[Finding]:
    return [Finding(AlertType.STRUCTURING, score, "", {}) for score in scores]


@pytest.mark.parametrize(
    ("scores", "together"),
    [
        ([], 0),
        ([70], 70),
        ([50, 50], 75),
        ([70, 60], 88),
        ([50, 50, 50], 87),
        ([100, 50], 100),
        ([99, 99, 99], 99),
        ([0, 0], 0),
    ],
)
def test_findings_together(scores: list[int], together: int) -> None:
    assert combined_score(findings(scores)) == together


@given(SCORES)
def test_it_is_the_formula_rounded_down(scores: list[int]) -> None:
    exact = 100 * (1 - prod(1 - Fraction(score, 100) for score in scores))
    assert combined_score(findings(scores)) == floor(exact)


@given(SCORES)
def test_it_is_bounded_and_at_least_the_worst(scores: list[int]) -> None:
    assert max(scores, default=0) <= combined_score(findings(scores)) <= 100


@given(SCORES, st.integers(0, 100))
def test_a_further_finding_never_lowers_it(scores: list[int], further: int) -> None:
    assert combined_score(findings([*scores, further])) >= combined_score(findings(scores))


@given(st.lists(st.integers(0, 99), min_size=1, max_size=8), st.data())
def test_a_higher_finding_never_lowers_it(scores: list[int], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(scores) - 1))
    higher = scores.copy()
    higher[place] = data.draw(st.integers(scores[place], 100))
    assert combined_score(findings(higher)) >= combined_score(findings(scores))


@given(st.permutations([10, 30, 55, 70]))
def test_the_order_does_not_matter(scores: list[int]) -> None:
    assert combined_score(findings(scores)) == combined_score(findings([10, 30, 55, 70]))


@pytest.mark.parametrize(
    ("observed", "score"), [(0, 25), (30, 50), (31, 50), (36, 55), (60, 75), (90, 100), (900, 100)]
)
def test_excess_of_a_limit_of_thirty(observed: int, score: int) -> None:
    assert excess_score(observed, 30) == score


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(1, 10**6))
def test_excess_is_bounded_and_monotone(one: int, two: int, limit: int) -> None:
    low, high = sorted((one, two))
    assert 0 <= excess_score(low, limit) <= excess_score(high, limit) <= 100


def test_of_each_rule_the_worst_and_of_equals_the_last() -> None:
    velocity, structuring = AlertType.GIFT_VELOCITY, AlertType.STRUCTURING
    given = [
        Finding(structuring, 60, "first", {}),
        Finding(velocity, 70, "worst", {}),
        Finding(structuring, 60, "last", {}),
        Finding(velocity, 50, "less", {}),
    ]
    assert [reason.explanation for reason in worst_by_rule(given)] == ["last", "worst"]
    assert worst_by_rule([]) == ()
