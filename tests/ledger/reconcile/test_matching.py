"""The matcher: what is the same money, and the promises that hold for any two lists."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.reconcile import matching
from ledger.reconcile.items import Item, Tolerance
from ledger.reconcile.matching import MatchKind, Reason, match
from ledger.reconcile.search import parts_of

DAY = date(2026, 1, 31)
TOLERANCE = Tolerance(amount_minor=2, days=3, group=4)


def item(key, amount=100, reference=None, days=0, currency="USD"):
    return Item(key, reference, amount, currency, DAY + timedelta(days))


def matched(result):
    return [(each.kind, each.ours, each.theirs, each.difference_minor) for each in result.matches]


def left(result):
    return (
        {each.item.key: each.reason for each in result.ours},
        {each.item.key: each.reason for each in result.theirs},
    )


def test_one_reference_on_both_sides():
    result = match([item("a", reference="r")], [item("x", 101, "r", days=30)], TOLERANCE)
    assert matched(result) == [(MatchKind.REFERENCE, ("a",), ("x",), 1)]


def test_a_reference_of_several_lines():
    ours, lines = [item("a", 100, "r")], [item("x", 60, "r"), item("y", 40, "r")]
    assert matched(match(ours, lines, TOLERANCE)) == [("reference", ("a",), ("x", "y"), 0)]
    assert matched(match(lines, ours, TOLERANCE)) == [("reference", ("x", "y"), ("a",), 0)]


def test_another_amount_under_one_reference_is_said():
    result = match([item("a", 100, "r")], [item("x", 90, "r")], TOLERANCE)
    assert left(result) == ({"a": Reason.AMOUNT_DIFFERS}, {"x": Reason.AMOUNT_DIFFERS})


def test_what_the_provider_settled_twice_is_said():
    result = match([item("a", 100, "r")], [item("x", 100, "r"), item("y", 100, "r")], TOLERANCE)
    assert matched(result) == [("reference", ("a",), ("x",), 0)]
    assert left(result)[1] == {"y": Reason.REPEATED}


def test_amount_and_date_where_there_is_no_reference():
    ours = [item("a", 100), item("b", 100, days=2), item("c", 101)]
    theirs = [item("x", 100, days=2), item("y", 101), item("z", 100, "other", days=-1)]
    assert matched(match(ours, theirs, TOLERANCE)) == [
        ("amount", ("b",), ("x",), 0),
        ("amount", ("c",), ("y",), 0),
        ("amount", ("a",), ("z",), 0),
    ]


@pytest.mark.parametrize(
    "other",
    [
        item("x", 100, days=4),
        item("x", 103),
        item("x", 100, currency="EUR"),
        item("x", -100),
    ],
)
def test_what_is_too_far_apart_is_not_the_same(other):
    result = match([item("a", 100)], [other], TOLERANCE)
    assert left(result) == ({"a": Reason.NO_COUNTERPART}, {"x": Reason.NO_COUNTERPART})


def test_two_references_are_two_things():
    result = match([item("a", 100, "r")], [item("x", 100, "s")], TOLERANCE)
    assert result.matches == ()


def test_a_tolerance_never_turns_a_payment_into_a_refund():
    result = match([item("a", 1)], [item("x", -1)], TOLERANCE)
    assert result.matches == ()
    result = match([item("a", 1, "r")], [item("x", -1, "r")], TOLERANCE)
    assert result.matches == ()


def test_one_line_for_several_of_ours_and_the_other_way_round():
    parts = [item("a", 1000, "r"), item("b", 2500, "s", days=1), item("c", 9990, "t")]
    whole = [item("x", 3500)]
    result = match(parts, whole, TOLERANCE)
    assert matched(result) == [("sum", ("a", "b"), ("x",), 0)]
    assert left(result)[0] == {"c": Reason.NO_COUNTERPART}
    assert matched(match(whole, parts, TOLERANCE)) == [("sum", ("x",), ("a", "b"), 0)]


def test_refunds_add_up_too():
    result = match([item("a", -100), item("b", -30)], [item("x", -130)], TOLERANCE)
    assert matched(result) == [("sum", ("a", "b"), ("x",), 0)]


def test_a_sum_that_can_be_made_in_two_ways_is_left_to_a_person():
    ours = [item("a", 100), item("b", 100), item("c", 50)]
    result = match(ours, [item("x", 150)], TOLERANCE)
    assert result.matches == ()
    assert left(result)[1] == {"x": Reason.AMBIGUOUS}


def test_a_sum_that_one_more_part_fits_into_is_left_to_a_person():
    ours = [item("a", 500), item("b", 500), item("c", 1)]
    result = match(ours, [item("x", 1000, "r")], Tolerance(amount_minor=1))
    assert result.matches == ()
    assert left(result)[1] == {"x": Reason.AMBIGUOUS}


def test_a_sum_of_unrelated_parts_that_may_be_chance_is_proposed():
    """Twelve amounts that have nothing to do with each other; seven of them make up the sum."""
    ours = [item(f"a{n:02}", 3**n + 10_000, f"r{n}", days=n % 3) for n in range(12)]
    whole = item("x", sum(each.amount_minor for each in ours[:7]))
    tolerance = Tolerance(days=3, group=8)
    result = match(ours, [whole], tolerance)
    assert result.matches == ()
    [leftover] = result.theirs
    assert leftover.reason is Reason.PROPOSED
    assert leftover.parts == tuple(each.key for each in ours[:7])
    # The same with one reference, or as all that is there of a day, is no chance.
    of_one = [replace(each, reference="r") for each in ours[:7]]
    assert len(match([*of_one, *ours[7:]], [whole], tolerance).matches) == 1
    a_day = [replace(each, on=DAY + timedelta(1 if n < 7 else 2)) for n, each in enumerate(ours)]
    assert len(match(a_day, [whole], tolerance).matches) == 1


def test_the_more_amounts_are_looked_for_the_less_a_sum_proves():
    ours = [item("a", 10_000, "r"), item("b", 25_000, "s", days=1), item("c", 30_000, "t")]
    theirs = [item("x", 35_000), *(item(f"y{n}", 1_000_000 + n, days=30) for n in range(200))]
    assert len(match(ours, theirs[:2], TOLERANCE).matches) == 1
    assert left(match(ours, theirs, TOLERANCE))[1]["x"] is Reason.PROPOSED


def test_unrelated_amounts_are_not_matched():
    random = Random(2)
    for few, many, most in ((25, 200, 20_000), (14, 3_000, 2_000_000)):
        ours = [item(f"a{n}", random.randint(100, most), f"r{n}") for n in range(few)]
        theirs = [item(f"x{n}", most + random.randint(1, 2 * most)) for n in range(many)]
        assert match(ours, theirs, Tolerance()).matches == ()


def test_sums_are_looked_for_within_so_many_steps(monkeypatch):
    monkeypatch.setattr(matching, "MAX_SUM_STEPS", 2_000)
    ours = [item(f"a{n:02}", 2 * n + 1_000) for n in range(40)]
    theirs = [item(f"x{n:02}", 5_001 + 2 * n) for n in range(40)]
    lonely = item("z", 5_001, days=30)
    result = match(ours, [*theirs, lonely], Tolerance(days=0))
    assert left(result)[1] == dict.fromkeys([each.key for each in theirs], Reason.SEARCH_ENDED) | {
        "z": Reason.NO_COUNTERPART
    }
    steps = []

    def counted(*args):
        sums = parts_of(*args)
        steps.append(sums.steps)
        return sums

    monkeypatch.setattr(matching, "parts_of", counted)
    match(ours, [*theirs, lonely], Tolerance(days=0))
    assert 0 < sum(steps) <= 2_000


def test_a_group_is_not_larger_than_allowed():
    ours = [item(str(n), 10 + n) for n in range(5)]
    total = sum(each.amount_minor for each in ours)
    assert match(ours, [item("x", total)], TOLERANCE).matches == ()
    assert len(match(ours, [item("x", total)], Tolerance(group=5)).matches) == 1


def test_a_key_stands_once():
    with pytest.raises(ValueError, match="same key"):
        match([item("a"), item("a")], [], TOLERANCE)


def test_many_of_one_price_are_matched_in_good_time():
    ours = [item(f"a{n:05}", 499, f"r{n}", days=n % 20) for n in range(5_000)]
    theirs = [item(f"x{n:05}", 499, days=n % 20) for n in range(5_000)]
    assert len(match(ours, theirs, TOLERANCE).matches) == 5_000


ITEMS = st.lists(
    st.builds(
        Item,
        key=st.integers(0, 40).map(str),
        reference=st.one_of(st.none(), st.sampled_from("rst")),
        amount_minor=st.one_of(st.integers(-20, 20), st.integers(-(2**62), 2**62)),
        currency=st.sampled_from(["USD", "EUR"]),
        on=st.integers(0, 6).map(lambda days: DAY + timedelta(days)),
    ),
    max_size=14,
    unique_by=lambda each: each.key,
)
TOLERANCES = st.builds(
    Tolerance,
    amount_minor=st.integers(0, 5),
    days=st.integers(0, 4),
    group=st.integers(1, 5),
)


@given(ITEMS, ITEMS, TOLERANCES, st.randoms(use_true_random=False))
def test_promises(ours, theirs, tolerance, random):
    result = match(ours, theirs, tolerance)

    # No item twice, none lost.
    for mine, of_match, over in (
        (ours, [key for each in result.matches for key in each.ours], result.ours),
        (theirs, [key for each in result.matches for key in each.theirs], result.theirs),
    ):
        keys = of_match + [each.item.key for each in over]
        assert sorted(keys) == sorted(each.key for each in mine)

    # Sums are conserved, and every match keeps the rules.
    by_key = ({each.key: each for each in ours}, {each.key: each for each in theirs})
    for each in result.matches:
        sides = [by_key[0][key] for key in each.ours], [by_key[1][key] for key in each.theirs]
        sums = [sum(one.amount_minor for one in side) for side in sides]
        assert each.difference_minor == sums[1] - sums[0]
        assert abs(each.difference_minor) <= tolerance.amount_minor
        assert 1 in (len(each.ours), len(each.theirs))
        assert len({one.currency for side in sides for one in side}) == 1
        if each.kind is not MatchKind.REFERENCE:
            assert max(len(side) for side in sides) <= max(tolerance.group, 1)
            assert all(
                abs((one.on - other.on).days) <= tolerance.days
                for one in sides[0]
                for other in sides[1]
            )

    # Any order gives the same.
    shuffled = (list(ours), list(theirs))
    for each in shuffled:
        random.shuffle(each)
    again = match(*shuffled, tolerance)
    assert set(again.matches) == set(result.matches)
    assert left(again) == left(result)
