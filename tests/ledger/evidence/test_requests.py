"""What the digest and the marks of requests cover, and how they are cut up by batch."""

from hashlib import sha256
from uuid import UUID

import pytest

from ledger.evidence.requests import Requests, end_of, requests_digest, requests_marks
from tests.support.evidence import ONE, OTHER, request_row, unposted_row

ROWS = [request_row(5), request_row(5, OTHER), request_row(8)]
HOLDS = [unposted_row(), unposted_row(1, OTHER)]


def test_the_digest_is_what_is_written_of_it():
    octets = b"sociallive.ledger.requests.v1\n"
    octets += (3).to_bytes(4, "big") + b"".join(ROWS)
    octets += (2).to_bytes(4, "big") + b"".join(HOLDS)
    assert requests_digest(Requests(ROWS, HOLDS)) == sha256(octets).digest()


def test_every_row_its_place_and_its_kind_are_in_the_digest():
    others = [
        Requests(ROWS[:2], HOLDS),
        Requests([*ROWS, ROWS[2]], HOLDS),
        Requests([ROWS[1], ROWS[0], ROWS[2]], HOLDS),
        Requests([request_row(5, UUID(int=7)), *ROWS[1:]], HOLDS),
        Requests(ROWS, HOLDS[:1]),
        Requests(ROWS, HOLDS[::-1]),
        Requests([*ROWS, HOLDS[0]], HOLDS[1:]),
        Requests((), ()),
    ]
    digests = {requests_digest(each) for each in (Requests(ROWS, HOLDS), *others)}
    assert len(digests) == len(others) + 1


def test_marks_are_those_of_all_rows():
    marks = requests_marks(Requests(ROWS, HOLDS))
    assert len(marks) == 4 + 4 * 5
    assert marks[:4] == (3).to_bytes(4, "big")
    assert marks[4:8] == marks_of_one(request_row(5, ONE))
    assert marks[-4:] == marks_of_one(HOLDS[1])


def marks_of_one(row):
    return requests_marks(Requests([row], ()))[4:]


@pytest.mark.parametrize(
    ("until", "start", "end"), [(4, 0, 0), (5, 0, 2), (7, 1, 2), (8, 0, 3), (99, 2, 3), (4, 2, 2)]
)
def test_rows_end_behind_a_batch(until, start, end):
    assert end_of(ROWS, until, start) == end
