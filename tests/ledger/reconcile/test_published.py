"""The stream against the log, by digests."""

from ledger.reconcile.published import WHOLE, compare, emptied, out_of_sight
from ledger.reconcile.runs import Found


def test_equal_sides_have_no_difference():
    assert list(compare({3: b"a", 4: b"b"}, {3: b"a", 4: b"b"}, 4)) == []
    assert list(compare({}, {}, 9)) == []


def test_each_difference_is_named_in_order():
    published = {3: b"a", 5: b"other", 7: b"d"}
    logged = {3: b"a", 4: b"b", 5: b"c", 6: b"e"}
    found = list(compare(published, logged, 6))
    assert [(each.check, each.subject) for each in found] == [
        ("stream", "batch 4"),
        ("stream", "batch 5"),
        ("stream", "batch 6"),
        ("stream", "batch 7"),
    ]
    assert "missing in the stream" in found[0].reason
    assert "other events" in found[1].reason
    assert "not in the log" in found[3].reason


def test_what_is_behind_the_cursor_may_be_on_its_way():
    assert list(compare({3: b"a"}, {3: b"a", 4: b"b"}, 3)) == []


def test_a_batch_that_the_stream_has_no_more_is_out_of_sight():
    found = Found("stream", "batch 12", "")
    assert out_of_sight(found, 13)
    assert not out_of_sight(found, 12)
    assert not out_of_sight(Found("stream", WHOLE, ""), 13)


def test_an_empty_stream_is_one_difference_where_something_was_published():
    assert list(emptied(0)) == []
    [found] = emptied(9)
    assert (found.subject, found.reason) == (WHOLE, "the stream is empty, published up to 9")
