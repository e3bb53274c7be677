"""Requests as they are hashed: idempotency keys with what was asked for, encoded.

One that posted something belongs to the batch of its transaction, whose id and `posted_at` it has.
One that posted nothing (a hold, say) belongs to the link that it was sealed under. Its `answer` is
not covered, as that is emptied after some time.
"""

import struct
from bisect import bisect_right
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from ledger.evidence.batches import marks_of

_TAG = b"sociallive.ledger.requests.v1\n"
_COUNT = struct.Struct(">i")
_FIRST_INTEGER = struct.Struct(">6xq")


class Requests(NamedTuple):
    """The rows of one link.

    `posted` are ordered by batch, caller_id and request_id, `unposted` by caller_id and request_id.
    """

    posted: Sequence[memoryview]
    unposted: Sequence[memoryview]


def requests_digest(requests: Requests) -> bytes:
    """SHA-256 over the rows of both kinds, each behind their count."""
    digest = sha256(_TAG)
    for rows in requests:
        digest.update(_COUNT.pack(len(rows)))
        digest.update(b"".join(rows))
    return digest.digest()


def requests_marks(requests: Requests) -> bytes:
    """The marks of all rows, behind the number of those that posted something."""
    rows = [*requests.posted, *requests.unposted]
    return marks_of(rows, transactions=len(requests.posted))


def end_of(posted: Sequence[memoryview], until: int, start: int) -> int:
    """Behind the last row from `start` on whose batch is at most `until`."""
    return bisect_right(posted, until, lo=start, key=lambda row: _FIRST_INTEGER.unpack_from(row)[0])
