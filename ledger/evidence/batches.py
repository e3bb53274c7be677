"""A batch as it is hashed: its row of the log, its transactions and its entries, encoded."""

import struct
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple
from zlib import crc32

from ledger.evidence.encoding import (
    ENTRY,
    copied_rows,
    entry_rows,
    split_entries,
    split_rows,
    split_transactions,
)

_TAG = b"sociallive.ledger.batch.v1\n"
_COUNT = struct.Struct(">i")
_NOTHING = memoryview(b"")


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of one batch; `log` is one row in a sound ledger.

    Transactions are ordered by transaction_id; `entries` is all of them in one piece, ordered by
    entry_id.
    """

    sequence: int
    log: Sequence[memoryview]
    transactions: Sequence[memoryview]
    entries: memoryview


class Streams(NamedTuple):
    """Three COPY streams of the same batches, each ordered by batch."""

    log: bytes
    transactions: bytes
    entries: bytes


def assemble(streams: Streams) -> list[Batch]:
    """The batches in order of their sequences. Raises MalformedRows."""
    logs: dict[int, list[memoryview]] = defaultdict(list)
    for sequence, row in split_rows(copied_rows(streams.log)):
        logs[sequence].append(row)
    posted: dict[int, list[memoryview]] = defaultdict(list)
    for sequence, row in split_transactions(copied_rows(streams.transactions)):
        posted[sequence].append(row)
    entered = dict(split_entries(copied_rows(streams.entries)))
    return [
        Batch(
            sequence,
            logs.get(sequence, ()),
            posted.get(sequence, ()),
            entered.get(sequence, _NOTHING),
        )
        for sequence in sorted({*logs, *posted, *entered})
    ]


def batch_digest(batch: Batch) -> bytes:
    """SHA-256 over the log's row, the transactions and the entries, with the counts of both."""
    digest = sha256(_TAG)
    digest.update(b"".join(batch.log))
    digest.update(_COUNT.pack(len(batch.transactions)))
    digest.update(b"".join(batch.transactions))
    digest.update(_COUNT.pack(len(batch.entries) // ENTRY.size))
    digest.update(batch.entries)
    return digest.digest()


def batch_marks(batch: Batch) -> bytes:
    """The marks of the log's row, the transactions and the entries."""
    rows = [*batch.log, *batch.transactions, *entry_rows(batch.entries)]
    return marks_of(rows, transactions=len(batch.transactions))


def marks_of(rows: Iterable[memoryview], *, transactions: int = 0) -> bytes:
    """The number of transactions and the CRC-32 of each row, 32 bits big-endian each."""
    marks = [crc32(row) for row in rows]
    return struct.pack(f">{len(marks) + 1}I", transactions, *marks)
