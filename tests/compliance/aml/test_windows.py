"""Sliding windows: what they hold, and that they reckon as a naive recount does."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from compliance.aml.features import Totals
from compliance.aml.windows import SlidingWindow, in_order, within
from tests.support.gifts import START, gift

TIMES = st.lists(st.integers(0, 300), max_size=60)
WINDOWS = st.integers(1, 120)


def test_a_gift_counts_until_the_window_is_over() -> None:
    window = SlidingWindow(60)
    window.add(gift(0, amount=7))
    window.advance(START + timedelta(seconds=59.999))
    assert window.totals == Totals(1, 7)
    window.advance(START + timedelta(seconds=60))
    assert window.totals == Totals(0, 0)


def test_unseen_gifts_are_known_as_long_as_they_are_held() -> None:
    window = SlidingWindow(60)
    window.add(gift(0), unseen=True)
    window.add(gift(30))
    assert window.holds_unseen
    window.advance(START + timedelta(seconds=60))
    assert window.totals.gifts == 1
    assert not window.holds_unseen


@given(TIMES, st.lists(st.integers(1, 20_000), min_size=60, max_size=60), WINDOWS)
def test_running_totals_are_those_of_a_recount(
    times: list[int], amounts: list[int], window_s: int
) -> None:
    gifts = in_order(gift(at, amount=amount) for at, amount in zip(times, amounts, strict=False))
    window = SlidingWindow(window_s)
    for place, each in enumerate(gifts):
        window.add(each)
        start = each.occurred_at - timedelta(seconds=window_s)
        held = [other for other in gifts[: place + 1] if other.occurred_at > start]
        assert window.totals == Totals(len(held), sum(other.amount_minor for other in held))


@given(TIMES, st.randoms(use_true_random=False))
def test_order_of_arrival_and_repeats_do_not_matter(times: list[int], random) -> None:
    gifts = [gift(at, number=number) for number, at in enumerate(times)]
    arrived = gifts + random.sample(gifts, len(gifts) // 2)
    random.shuffle(arrived)
    assert [each.event_id for each in in_order(arrived)] == [
        each.event_id for each in sorted(gifts, key=lambda each: (each.occurred_at, each.event_id))
    ]


@given(TIMES, WINDOWS, st.integers(1, 10))
def test_within_names_the_last_of_the_window(times: list[int], window_s: int, most: int) -> None:
    gifts = in_order(gift(at) for at in times)
    window = SlidingWindow(window_s)
    for each in gifts:
        window.add(each)
    if gifts:
        named = within(gifts, gifts[-1].occurred_at, window_s, most)
        assert len(named) == min(most, window.totals.gifts)
        assert named == tuple(each.event_id for each in gifts[-len(named) :])
