"""Requests as they are hashed: idempotency keys with what was asked for, encoded.

One that posted something belongs to the batch of its transaction, whose id and `posted_at` it has.
One that posted nothing (a hold, say) belongs to the link that it was sealed under. Its `answer` is
not covered, as that is emptied after some time.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import NamedTuple

from ledger.evidence.batches import marks_of
from ledger.evidence.encoding import request_ends

_TAG = b"sociallive.ledger.requests.v1\n"
_COUNT = struct.Struct(">i")
_BATCH = struct.Struct(">6xq")


@dataclass(frozen=True, slots=True)
class PostedRows:
    """Requests that posted something, ordered by batch, caller_id and request_id.

    They lie behind each other in `octets`, from `begin` on, each up to one of `ends`: hundreds of
    thousands are cut up by link without a look at each.
    """

    octets: memoryview
    begin: int
    ends: Sequence[int]

    @classmethod
    def of(cls, octets: memoryview) -> "PostedRows":
        """All rows in there. Raises MalformedRows."""
        return cls(octets, 0, request_ends(octets))

    def __len__(self) -> int:
        return len(self.ends)

    def __iter__(self) -> Iterator[memoryview]:
        return (self.octets[start:end] for start, end in pairwise([self.begin, *self.ends]))

    @property
    def together(self) -> memoryview:
        """All rows in one piece."""
        return self.octets[self.begin : self.ends[-1] if self.ends else self.begin]

    def cut(self, until: int) -> tuple["PostedRows", "PostedRows"]:
        """The rows of batches up to `until`, and those behind them."""
        count = bisect_right(range(len(self)), until, key=self._batch)
        end = self._start(count)
        return (
            PostedRows(self.octets, self.begin, self.ends[:count]),
            PostedRows(self.octets, end, self.ends[count:]),
        )

    def _batch(self, row: int) -> int:
        batch: int = _BATCH.unpack_from(self.octets, self._start(row))[0]
        return batch

    def _start(self, row: int) -> int:
        return self.ends[row - 1] if row else self.begin


class Requests(NamedTuple):
    """The rows of one link; `unposted` are ordered by caller_id and request_id."""

    posted: PostedRows
    unposted: Sequence[memoryview]


def requests_digest(requests: Requests) -> bytes:
    """SHA-256 over the rows of both kinds, each behind their count."""
    digest = sha256(_TAG)
    digest.update(_COUNT.pack(len(requests.posted)))
    digest.update(requests.posted.together)
    digest.update(_COUNT.pack(len(requests.unposted)))
    digest.update(b"".join(requests.unposted))
    return digest.digest()


def requests_marks(requests: Requests) -> bytes:
    """The marks of all rows, behind the number of those that posted something."""
    rows = [*requests.posted, *requests.unposted]
    return marks_of(rows, transactions=len(requests.posted))
