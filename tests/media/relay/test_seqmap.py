"""Numbering: omissions close up, losses and reorderings show, no number is used twice."""

from hypothesis import given
from hypothesis import strategies as st

from media.relay.seqmap import MAX_SPANS, SeqMap


def test_numbers_begin_where_told():
    numbers = SeqMap(first=500)
    assert numbers.next_outgoing == 500
    assert [numbers.map(n) for n in (70_000, 70_001)] == [500, 501]
    assert numbers.next_outgoing == 502


def test_what_is_lost_on_the_way_leaves_its_gap_and_may_come_late():
    numbers = SeqMap(first=0)
    assert [numbers.map(n) for n in (10, 12, 11, 15)] == [0, 2, 1, 5]


def test_what_is_left_out_leaves_none():
    numbers = SeqMap(first=0)
    numbers.map(10)
    assert numbers.drop(11)
    assert numbers.drop(12)
    assert numbers.map(13) == 1
    assert numbers.map(11) is None
    assert numbers.map(10) == 0


def test_only_the_next_can_be_left_out():
    numbers = SeqMap(first=0)
    assert not numbers.drop(9)
    numbers.map(10)
    assert not numbers.drop(12)
    assert not numbers.drop(10)
    assert numbers.map(12) == 2


def test_nothing_before_the_first():
    numbers = SeqMap(first=0)
    numbers.map(10)
    assert numbers.map(9) is None


def test_skipping_ahead_is_one_omission():
    numbers = SeqMap(first=0)
    numbers.map(10)
    numbers.skip_to(5_000)
    assert numbers.map(4_999) is None
    assert numbers.map(5_000) == 1
    assert numbers.map(10) == 0


def test_skipping_back_does_nothing():
    numbers = SeqMap(first=0)
    numbers.map(10)
    numbers.skip_to(10)
    assert numbers.map(11) == 1


def test_it_finds_the_source_of_a_number():
    numbers = SeqMap(first=100)
    assert numbers.source(100) is None
    for n in (10, 11, 13):
        numbers.map(n)
    numbers.drop(14)
    numbers.map(15)
    assert [numbers.source(n) for n in (99, 100, 102, 103, 104, 105)] == [
        None,
        10,
        12,
        13,
        15,
        None,
    ]


def test_memory_is_bounded_and_forgets_the_oldest():
    numbers = SeqMap(first=0)
    for n in range(0, 4 * MAX_SPANS, 2):
        numbers.map(n)
        numbers.drop(n + 1)
    assert numbers.map(0) is None
    assert numbers.source(0) is None
    assert numbers.map(4 * MAX_SPANS - 2) == 2 * MAX_SPANS - 1


steps = st.lists(
    st.tuples(st.sampled_from(["map", "map", "map", "drop", "skip"]), st.integers(-20, 20)),
    max_size=80,
)


@given(st.integers(0, 2**17), st.integers(0, 0x7FFF), steps)
def test_no_number_ever_stands_for_two_packets(start, first, steps):
    numbers, given_away, at = SeqMap(first), {}, start + 20
    for step, offset in steps:
        source = at + offset
        if step == "map":
            number = numbers.map(source)
            if number is not None:
                assert given_away.setdefault(number, source) == source
                assert numbers.source(number) == source
                at = max(at, source + 1)
        elif step == "drop":
            left_out = numbers.drop(source)
            assert not left_out or source not in given_away.values()
        else:
            numbers.skip_to(source)
    assert sorted(given_away) == sorted(given_away, key=given_away.get)
    assert all(first <= number < numbers.next_outgoing for number in given_away)


@given(st.lists(st.booleans(), min_size=1, max_size=100))
def test_in_order_the_numbers_have_no_gaps(kept):
    numbers = SeqMap(first=7)
    numbers.skip_to(1000)
    out = []
    for source, keep in enumerate(kept, start=1000):
        if keep:
            out.append(numbers.map(source))
        else:
            assert numbers.drop(source)
    assert out == list(range(7, 7 + len(out)))
