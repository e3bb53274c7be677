"""What the digest and the marks of requests cover, and how they are cut up by batch."""

from hashlib import sha256
from uuid import UUID

import pytest

from ledger.evidence.encoding import encode_row
from ledger.evidence.requests import requests_digest, requests_marks
from tests.support.evidence import AT, ONE, OTHER, request_row, requests_of, unposted_row

ROWS = [request_row(5), request_row(5, OTHER), request_row(8)]
HOLDS = [unposted_row(), unposted_row(1, OTHER)]


def test_the_digest_is_what_is_written_of_it():
    octets = b"sociallive.ledger.requests.v1\n"
    octets += (3).to_bytes(4, "big") + b"".join(ROWS)
    octets += (2).to_bytes(4, "big") + b"".join(HOLDS)
    assert requests_digest(requests_of(ROWS, HOLDS)) == sha256(octets).digest()


def test_every_row_its_place_and_its_kind_are_in_the_digest():
    others = [
        requests_of(ROWS[:2], HOLDS),
        requests_of([*ROWS, ROWS[2]], HOLDS),
        requests_of([ROWS[1], ROWS[0], ROWS[2]], HOLDS),
        requests_of([request_row(5, UUID(int=7)), *ROWS[1:]], HOLDS),
        requests_of(ROWS, HOLDS[:1]),
        requests_of(ROWS, HOLDS[::-1]),
        requests_of([*ROWS, HOLDS[0]], HOLDS[1:]),
        requests_of(),
    ]
    digests = {requests_digest(each) for each in (requests_of(ROWS, HOLDS), *others)}
    assert len(digests) == len(others) + 1


def test_marks_are_those_of_all_rows():
    marks = requests_marks(requests_of(ROWS, HOLDS))
    assert len(marks) == 4 + 4 * 5
    assert marks[:4] == (3).to_bytes(4, "big")
    assert marks[4:8] == marks_of_one(request_row(5, ONE))
    assert marks[-4:] == marks_of_one(HOLDS[1])


def marks_of_one(row):
    return requests_marks(requests_of([row], ()))[4:]


WIDE = memoryview(encode_row(6, OTHER, ONE, b"", None, AT))


@pytest.mark.parametrize("rows", [ROWS, [*ROWS[:2], WIDE, ROWS[2]], []])
def test_rows_come_out_as_they_went_in(rows):
    posted = requests_of(rows).posted
    assert ([*posted], len(posted)) == (rows, len(rows))
    assert posted.together == b"".join(rows)


@pytest.mark.parametrize("rows", [ROWS, [*ROWS[:2], WIDE, ROWS[2]]])
@pytest.mark.parametrize("first", [4, 5, 6, 7, 8, 99])
@pytest.mark.parametrize("second", [4, 5, 6, 8, 99])
def test_rows_are_cut_behind_a_batch(rows, first, second):
    one, left = requests_of(rows).posted.cut(first)
    two, three = left.cut(second)
    batches = [[int.from_bytes(row[6:14], "big") for row in part] for part in (one, two, three)]
    expected = [5, 5, 8] if len(rows) == 3 else [5, 5, 6, 8]
    assert batches == [
        [batch for batch in expected if batch <= first],
        [batch for batch in expected if first < batch <= second],
        [batch for batch in expected if batch > max(first, second)],
    ]
    assert b"".join([one.together, two.together, three.together]) == b"".join(rows)
