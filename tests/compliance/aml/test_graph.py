"""Circles of gifts: found, bounded, and the same as an exhaustive search finds."""

from datetime import UTC, datetime
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.aml import graph as module
from compliance.aml.features import Circle
from compliance.aml.graph import Edge, GiftGraph, hour_of
from tests.support.gifts import account

HOUR = 100


def edge(payer: int, payee: int, amount: int = 10_000, hour: int = HOUR) -> Edge:
    return Edge(account(payer), account(payee), hour, amount)


def graph(*edges: Edge, max_length: int = 4, window_hours: int = 24) -> GiftGraph:
    return GiftGraph(
        edges,
        window_hours=window_hours,
        max_length=max_length,
        min_amount_minor=5_000,
        min_percent=30,
    )


def ring(length: int) -> list[Edge]:
    return [edge(number, number % length + 1) for number in range(1, length + 1)]


def test_hours_are_counted_from_1970() -> None:
    assert hour_of(datetime(1970, 1, 2, 0, 59, 59, tzinfo=UTC)) == 24


@pytest.mark.parametrize("length", [2, 3, 4])
def test_rings_are_found_from_every_gift_in_them(length: int) -> None:
    found = graph(*ring(length))
    for each in ring(length):
        circle = found.best_circle(each.payer_id, each.payee_id, HOUR)
        assert circle is not None
        assert len(circle.accounts) == length
        assert circle.accounts[:2] == (each.payer_id, each.payee_id)
        assert circle.return_percent == 100


@pytest.mark.parametrize(
    "edges",
    [
        pytest.param([edge(1, 2)], id="nothing comes back"),
        pytest.param([edge(1, 2), edge(2, 3), edge(3, 2)], id="a ring without the gift"),
        pytest.param(ring(5), id="too long"),
        pytest.param([edge(1, 2), edge(2, 1, 4_999)], id="too small"),
        pytest.param([edge(1, 2, 100_000), edge(2, 1, 29_000)], id="returns too little"),
        pytest.param([edge(1, 2), edge(2, 1, hour=HOUR - 24)], id="too long ago"),
        pytest.param([edge(2, 1)], id="the gift is no edge"),
    ],
)
def test_no_circle(edges: list[Edge]) -> None:
    assert graph(*edges).best_circle(account(1), account(2), HOUR) is None


def test_hours_of_one_pair_are_summed_within_the_window() -> None:
    found = graph(
        edge(1, 2, 10_000), edge(2, 1, 4_000, HOUR - 23), edge(2, 1, 4_000), edge(2, 1, 90, 1)
    )
    circle = found.best_circle(account(1), account(2), HOUR)
    assert circle == Circle((account(1), account(2)), 8_000, 10_000)


def test_a_late_gift_closes_a_circle_of_later_ones() -> None:
    found = graph(edge(1, 2, hour=HOUR - 5), edge(2, 1, hour=HOUR))
    assert found.best_circle(account(1), account(2), HOUR - 5) is not None
    assert (
        graph(edge(1, 2, hour=HOUR - 24), edge(2, 1)).best_circle(account(1), account(2), HOUR - 24)
        is None
    )


def test_the_circle_with_the_greatest_return_is_told() -> None:
    found = graph(edge(1, 2, 10_000), edge(2, 1, 5_000), edge(2, 3, 9_000), edge(3, 1, 9_500))
    circle = found.best_circle(account(1), account(2), HOUR)
    assert circle == Circle((account(1), account(2), account(3)), 9_000, 10_000)


def test_a_search_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_STEPS", 50)
    fan = [edge(2, number) for number in range(10, 200)]
    back = [edge(199, 1)]
    assert graph(edge(1, 2), *fan, *back).best_circle(account(1), account(2), HOUR) is None


EDGES = st.lists(
    st.builds(
        edge,
        st.integers(1, 5),
        st.integers(1, 5),
        st.integers(1, 30_000),
        st.integers(HOUR - 30, HOUR),
    ).filter(lambda each: each.payer_id != each.payee_id),
    max_size=25,
)


def every_return(edges: list[Edge], end: int, max_length: int) -> list[int]:
    """Returns of all circles through 1 → 2 in the window to `end`, without any shortcut."""
    sums: dict[tuple[int, int], int] = {}
    for each in edges:
        if end - 24 < each.hour <= end:
            pair = (each.payer_id.int, each.payee_id.int)
            sums[pair] = sums.get(pair, 0) + each.amount_minor
    returns = []
    for length in range(max_length - 1):
        for others in permutations((3, 4, 5), length):
            path = (1, 2, *others, 1)
            hops = [sums.get(pair, 0) for pair in pairwise(path)]
            if min(hops) >= 5_000 and 100 * min(hops) // max(hops) >= 30:
                returns.append(100 * min(hops) // max(hops))
    return returns


@given(EDGES, st.integers(2, 5))
def test_it_finds_what_an_exhaustive_search_finds(edges: list[Edge], max_length: int) -> None:
    hour = HOUR - 3
    ends = {each.hour for each in edges if hour <= each.hour < hour + 24}
    best = max((each for end in ends for each in every_return(edges, end, max_length)), default=0)
    circle = graph(*edges, max_length=max_length).best_circle(account(1), account(2), hour)
    assert (circle.return_percent if circle else 0) == best
