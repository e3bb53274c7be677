"""Batches out of COPY streams, and what their digest and marks cover."""

from dataclasses import replace

import pytest

from ledger.evidence.batches import Streams, assemble, batch_digest, batch_marks, marks_of
from ledger.evidence.encoding import MalformedRows, encode_row, entry_rows
from tests.support.evidence import batch, stream


def test_every_row_and_its_order_is_in_the_digest():
    sound = batch()
    entries = entry_rows(sound.entries)
    others = [
        replace(sound, log=()),
        replace(sound, log=[*sound.log] * 2),
        replace(sound, transactions=[]),
        replace(sound, transactions=[*sound.transactions] * 2),
        replace(sound, entries=sound.entries[:102]),
        replace(sound, entries=memoryview(bytes(entries[1]) + bytes(entries[0]))),
        batch(text="y"),
        batch(sequence=6),
    ]
    digests = {batch_digest(each) for each in (sound, *others)}
    assert len(digests) == len(others) + 1


def test_marks_tell_rows_apart():
    sound = batch()
    rows = [*sound.log, *sound.transactions, *entry_rows(sound.entries)]
    marks = batch_marks(sound)
    assert len(marks) == 4 + 4 * len(rows)
    assert marks[:4] == (1).to_bytes(4, "big")
    assert marks_of([]) == bytes(4)
    assert marks_of(rows[:1], transactions=1) == marks[:8]


def test_streams_become_batches():
    one, two = batch(3), batch(8)
    found = assemble(
        Streams(
            stream(*one.log, *two.log),
            stream(*one.transactions, *two.transactions),
            stream(one.entries, two.entries),
        )
    )
    assert [batch_digest(each) for each in found] == [batch_digest(one), batch_digest(two)]
    assert [each.sequence for each in found] == [3, 8]


def test_what_has_no_row_in_the_log_is_a_batch_too():
    one, two, three = batch(1), batch(2), batch(3)
    found = assemble(Streams(stream(*one.log), stream(*two.transactions), stream(three.entries)))
    assert [(len(each.log), len(each.transactions), len(each.entries)) for each in found] == [
        (1, 0, 0),
        (0, 1, 0),
        (0, 0, 204),
    ]


def test_an_entry_of_another_width_is_refused():
    with pytest.raises(MalformedRows):
        assemble(Streams(stream(), stream(), stream(encode_row(1, None))))
