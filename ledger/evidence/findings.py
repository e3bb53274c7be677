"""What a verification finds: which row, and what is wrong with it.

Where a batch is not what was chained, the marks of its link tell which of its rows it is.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID
from zlib import crc32

from ledger.evidence.batches import Batch
from ledger.evidence.encoding import entry_rows
from ledger.evidence.links import Link
from ledger.evidence.requests import Requests

_LENGTH = struct.Struct(">i")
_FIRST_INTEGER = struct.Struct(">6xq")


@dataclass(frozen=True, slots=True)
class Finding:
    """`row` names one row of `table` by its key, as `entry_id 17`."""

    table: str
    row: str
    problem: str

    def __str__(self) -> str:
        return f"ledger.{self.table}, {self.row}: {self.problem}"


def log_name(row: memoryview) -> str:
    """Names an encoded row of event_log."""
    return f"sequence {_FIRST_INTEGER.unpack_from(row)[0]}"


def transaction_name(row: memoryview) -> str:
    """Names an encoded transaction."""
    return f"transaction_id {UUID(bytes=transaction_octets(row))}"


def entry_name(row: memoryview) -> str:
    """Names an encoded entry."""
    return f"entry_id {_FIRST_INTEGER.unpack_from(row)[0]}"


def seal_name(row: memoryview) -> str:
    """Names an encoded seal."""
    return f"account_id {UUID(bytes=row[18:34].tobytes())}"


def reference_name(row: memoryview) -> str:
    """Names an encoded reference."""
    end = 18 + _LENGTH.unpack_from(row, 14)[0]
    return f"reference {row[18:end].tobytes().decode('utf-8', 'replace')}"


def request_name(row: memoryview) -> str:
    """Names an encoded request of either kind."""
    return f"request_id {UUID(bytes=row[38:54].tobytes())}"


def transaction_octets(row: memoryview) -> bytes:
    """The id in an encoded transaction, its second field."""
    return row[18:34].tobytes()


def changed_batch(link: Link, batch: Batch) -> Finding:
    """Which row of `batch` it is that makes its digest differ from that of `link`."""
    transactions, log, *marks = struct.unpack(f">{len(link.marks) // 4}I", link.marks)
    for table, name, expected, rows in (
        ("event_log", log_name, [log], batch.log),
        ("transactions", transaction_name, marks[:transactions], batch.transactions),
        ("journal_entries", entry_name, marks[transactions:], entry_rows(batch.entries)),
    ):
        if (finding := _changed_row(table, name, expected, rows, link.sequence)) is not None:
            return finding
    return _wrong_digest(link)


def missing_batch(link: Link) -> Finding:
    """Nothing at all is left of a batch."""
    return Finding("event_log", f"sequence {link.sequence}", "the row is missing, with its batch")


def stray_batch(batch: Batch) -> Finding:
    """The first row of a batch that is not in the chain, although later ones are."""
    problem = f"this row was added: the chain has no batch {batch.sequence}"
    if batch.log:
        return Finding("event_log", log_name(batch.log[0]), problem)
    if batch.transactions:
        return Finding("transactions", transaction_name(batch.transactions[0]), problem)
    return Finding("journal_entries", entry_name(batch.entries), problem)


def changed_seals(link: Link, seals: Sequence[memoryview]) -> Finding:
    """Which seal it is that makes the digest differ from that of `link`."""
    return _changed_item(link, "account_seals", seal_name, seals)


def changed_references(link: Link, references: Sequence[memoryview]) -> Finding:
    """Which reference it is that makes the digest differ from that of `link`."""
    return _changed_item(link, "external_references", reference_name, references)


def changed_requests(link: Link, requests: Requests) -> Finding:
    """Which request it is that makes the digest differ from that of `link`."""
    posted, *marks = struct.unpack(f">{len(link.marks) // 4}I", link.marks)
    for expected, rows in (
        (marks[:posted], [*requests.posted]),
        (marks[posted:], requests.unposted),
    ):
        found = _changed_row("requests", request_name, expected, rows, link.sequence)
        if found is not None:
            return found
    return _wrong_digest(link)


def _changed_item(
    link: Link, table: str, name: Callable[[memoryview], str], rows: Sequence[memoryview]
) -> Finding:
    expected = list(struct.unpack(f">{len(link.marks) // 4}I", link.marks)[1:])
    return _changed_row(table, name, expected, rows, link.sequence) or _wrong_digest(link)


def _wrong_digest(link: Link) -> Finding:
    return Finding(
        "chain", f"position {link.position}", f"its digest is not that of its {link.kind}"
    )


def _changed_row(
    table: str,
    name: Callable[[memoryview], str],
    expected: Sequence[int],
    rows: Sequence[memoryview],
    sequence: int,
) -> Finding | None:
    actual = [crc32(row) for row in rows]
    if actual == expected:
        return None
    same = next(
        (at for at, pair in enumerate(zip(actual, expected, strict=False)) if pair[0] != pair[1]),
        min(len(actual), len(expected)),
    )
    if len(actual) < len(expected):
        behind = f"behind {name(rows[same - 1])}" if same else "the first one"
        return Finding(table, f"batch {sequence}", f"a row is missing, {behind}")
    problem = "this row was added" if len(actual) > len(expected) else "this row was changed"
    return Finding(table, name(rows[same]), f"{problem} after batch {sequence} was chained")
