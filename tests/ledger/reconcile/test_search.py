"""The searches by themselves: the closest first, and an end to every search."""

from datetime import date, timedelta

from ledger.reconcile.items import Item, Tolerance
from ledger.reconcile.search import MAX_STEPS, closest_pairs, nearest_pairs, parts_of

DAY = date(2026, 1, 31)
DEFAULT = Tolerance()


def item(key, amount, days=0, reference=None):
    return Item(key, reference, amount, "USD", DAY + timedelta(days))


def keys(pairs):
    return [(one.key, other.key) for one, other in pairs]


def test_the_closest_pair_is_taken_first():
    ours, theirs = [item("a", 100), item("b", 104)], [item("x", 103), item("y", 90)]
    assert keys(closest_pairs(ours, theirs, lambda one, other: True)) == [("b", "x"), ("a", "y")]
    assert keys(closest_pairs(ours, theirs, lambda one, other: False)) == []


def test_the_nearest_in_amount_then_in_date():
    ours = [item("a", 100), item("b", 100, 1)]
    theirs = [item("w", 101), item("x", 100, 1), item("y", 100, 2), item("z", 99)]
    pairs = nearest_pairs(ours, theirs, Tolerance(amount_minor=1, days=2))
    assert keys(pairs) == [("b", "x"), ("a", "y")]


def test_a_pair_where_both_have_a_reference_is_none():
    ours = [item("a", 100, reference="r"), item("b", 100)]
    theirs = [item("x", 100, reference="s"), item("y", 100)]
    assert keys(nearest_pairs(ours, theirs, Tolerance())) == [("a", "y"), ("b", "x")]


def choices(whole, parts, tolerance=DEFAULT):
    sums = parts_of(whole, parts, tolerance)
    assert sums.is_complete
    return [[part.key for part in choice] for choice in sums.choices]


def test_parts_of_a_sum():
    parts = [item("a", 5), item("b", 7), item("c", 11)]
    assert choices(18, parts) == [["c", "b"]]
    assert choices(11, parts) == []
    assert choices(100, parts) == []
    assert choices(-12, [item("a", -5), item("b", -7)]) == [["b", "a"]]


def test_what_one_more_part_fits_into_is_another_choice():
    parts = [item("a", 500), item("b", 500), item("c", 1)]
    assert choices(1000, parts) == [["a", "b"]]
    assert choices(1000, parts, Tolerance(amount_minor=1)) == [["a", "b"], ["a", "b", "c"]]


def test_two_choices_are_enough_to_know():
    parts = [item(str(n), 5) for n in range(10)]
    assert len(choices(10, parts)) == 2


def test_a_search_ends():
    # 60 even amounts never make an odd sum; all subsets would be 2**60.
    parts = [item(str(n), 2 * n + 1000) for n in range(60)]
    sums = parts_of(30_001, parts, Tolerance(group=60))
    assert (sums.choices, sums.steps, sums.is_complete) == ([], MAX_STEPS, False)
    assert parts_of(30_001, parts, Tolerance(group=60), 10).steps == 10
    # Found, but not all was looked at: it may not be the only choice.
    lucky = [item("big", 10**6), item("other", 10**6 - 1), *parts]
    sums = parts_of(2 * 10**6 - 1, lucky, Tolerance(group=60), 5)
    assert (len(sums.choices), sums.is_complete) == (1, False)
