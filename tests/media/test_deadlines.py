from hypothesis import given
from hypothesis import strategies as st

from media.deadlines import Deadlines


def test_what_is_due_comes_in_the_order_of_its_time() -> None:
    deadlines = Deadlines()
    for key, at in ((1, 3.0), (2, 1.0), (3, 2.0)):
        deadlines.set(key, at)
    assert list(deadlines.take(2.0)) == [2, 3]
    assert list(deadlines.take(2.0)) == []
    assert len(deadlines) == 1
    assert list(deadlines.take(9.0)) == [1]


def test_the_last_word_counts() -> None:
    deadlines = Deadlines()
    deadlines.set(1, 1.0)
    deadlines.set(1, 5.0)
    deadlines.set(2, 1.0)
    deadlines.discard(2)
    deadlines.discard(99)
    assert list(deadlines.take(4.0)) == []
    assert list(deadlines.take(5.0)) == [1]


def test_a_taker_may_stop_and_go_on_later() -> None:
    deadlines = Deadlines()
    for key in (1, 2, 3):
        deadlines.set(key, 0.0)
    assert next(deadlines.take(0.0)) == 1
    assert list(deadlines.take(0.0)) == [2, 3]


@given(st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(0, 9)), max_size=30))
def test_it_is_a_dictionary_sorted_by_time(steps: list[tuple[int, int | None]]) -> None:
    deadlines, model = Deadlines(), {}
    for key, at in steps:
        if at is None:
            deadlines.discard(key)
            model.pop(key, None)
        else:
            deadlines.set(key, at)
            model[key] = at
    due = sorted((at, key) for key, at in model.items() if at <= 5)
    assert list(deadlines.take(5)) == [key for _, key in due]
