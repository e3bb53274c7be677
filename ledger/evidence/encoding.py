"""The canonical encoding of rows, version 1: the octets that are hashed.

A row is a 16-bit count of fields and then each field: a 32-bit length (-1: NULL) and that many
octets. All integers are big-endian. Values are encoded as

    integer        64 bits, two's complement
    uuid           its 16 octets
    instant        64-bit count of microseconds since 2000-01-01T00:00:00Z
    text, jsonb    UTF-8; jsonb in PostgreSQL's own text form

This is PostgreSQL's binary COPY format, so rows are cut out of the stream of
`COPY (SELECT …) TO STDOUT (FORMAT binary)` and hashed as they are. `encode_row` says the same in
Python, and the tests hold the two equal.

MalformedRows
    The octets are no rows of the kind that was asked for.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from uuid import UUID

POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
COPY_SIGNATURE = b"PGCOPY\n\xff\r\n\x00"
COPY_TRAILER = b"\xff\xff"

Value = int | str | bytes | UUID | datetime | None

ENTRY = struct.Struct(">2x4xq4x16s4x16s4xq4xq4xq4xq")
"""entry_id, transaction_id, account_id, amount_minor, balance_minor, batch, posted_at."""

_BATCH, _BATCH_OFFSET = struct.Struct(">q"), 82
# Of a transaction: count, batch, transaction_id in front; posted_at, effective_at at the end.
_TRANSACTION_HEAD, _TRANSACTION_TAIL = 2 + 12 + 20, 24
_THREE_NULLS = b"\xff" * 12  # memo, metadata and reverses are seldom there
# Where the count of fields and their lengths stand in a row, and what they must be.
_ENTRY_FRAME = {1: 7, 5: 8, 17: 16, 37: 16, 57: 8, 69: 8, 81: 8, 93: 8}
_REQUEST_WIDTH, _REQUEST_FRAME = 122, {1: 6, 5: 8, 17: 16, 37: 16, 57: 32, 93: 16, 113: 8}

_SHORT, _LONG, _KEYED = struct.Struct(">h"), struct.Struct(">i"), struct.Struct(">hiq")


class MalformedRows(ValueError):
    """The octets are no such rows; `row` names the first that is not, where that is known."""

    def __init__(self, problem: str, row: str = "some row") -> None:
        super().__init__(problem)
        self.row = row


def encode_row(*values: Value) -> bytes:
    """One row of these fields. Raises TypeError for a value of another kind."""
    fields = [_SHORT.pack(len(values))]
    for value in values:
        octets = _octets(value)
        fields += (_LONG.pack(-1),) if octets is None else (_LONG.pack(len(octets)), octets)
    return b"".join(fields)


def instant(microseconds: int) -> datetime:
    """The instant so long after PostgreSQL's epoch."""
    return POSTGRES_EPOCH + timedelta(microseconds=microseconds)


def copied_rows(stream: bytes) -> memoryview:
    """The rows of a whole binary COPY stream. Raises MalformedRows."""
    begin = len(COPY_SIGNATURE) + 4
    if not stream.startswith(COPY_SIGNATURE) or not stream.endswith(COPY_TRAILER):
        raise MalformedRows("no whole stream of COPY in binary format")
    begin += 4 + _LONG.unpack_from(stream, begin)[0]
    return memoryview(stream)[begin : -len(COPY_TRAILER)]


def split_rows(rows: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Each row, with the integer that is its first field. Raises MalformedRows."""
    start = 0
    try:
        while start < len(rows):
            count, _, key = _KEYED.unpack_from(rows, start)
            end = start + 2
            for _ in range(count):
                end += 4 + max(0, _LONG.unpack_from(rows, end)[0])
            if end > len(rows):
                raise MalformedRows("a row ends early")
            yield key, rows[start:end]
            start = end
    except struct.error:
        raise MalformedRows("a row ends early") from None


def split_transactions(rows: memoryview) -> Iterator[tuple[int, memoryview]]:
    """As `split_rows`, of transactions: their first and last fields have one width, and the two
    behind the first are never NULL. Raises MalformedRows.
    """
    octets, length = rows.tobytes(), _LONG.unpack_from
    start, whole = 0, len(octets)
    try:
        while start < whole:
            at = start + _TRANSACTION_HEAD
            at += 4 + length(octets, at)[0]
            at += 4 + length(octets, at)[0]
            if octets.startswith(_THREE_NULLS, at):
                at += len(_THREE_NULLS)
            else:
                for _ in range(3):
                    at += 4 + max(0, length(octets, at)[0])
            at += _TRANSACTION_TAIL
            if at > whole:
                raise MalformedRows("a row ends early")
            yield _BATCH.unpack_from(octets, start + 6)[0], rows[start:at]
            start = at
    except struct.error:
        raise MalformedRows("a row ends early") from None


def split_entries(rows: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The entries of each batch in one piece, with the batch; ordered by batch. All fields of
    entries have one width. Raises MalformedRows, naming the first entry that is not so.
    """
    _check_entries(rows)
    count = len(rows) // ENTRY.size
    start = 0
    while start < count:
        batch = _batch_at(rows, start)
        end = _end_of(rows, batch, start, count)
        yield batch, rows[start * ENTRY.size : end * ENTRY.size]
        start = end


def _batch_at(rows: memoryview, entry: int) -> int:
    batch: int = _BATCH.unpack_from(rows, entry * ENTRY.size + _BATCH_OFFSET)[0]
    return batch


def _end_of(rows: memoryview, batch: int, start: int, count: int) -> int:
    """Behind the last entry of `batch`, which begins at `start`; by steps that double."""
    step = 1
    while start + step < count and _batch_at(rows, start + step) == batch:
        step *= 2
    low, high = start + step // 2, min(start + step, count)
    while high - low > 1:
        middle = (low + high) // 2
        if _batch_at(rows, middle) == batch:
            low = middle
        else:
            high = middle
    return high


def entry_rows(entries: memoryview) -> list[memoryview]:
    """Each entry by itself."""
    return [entries[at : at + ENTRY.size] for at in range(0, len(entries), ENTRY.size)]


def request_ends(requests: memoryview) -> Sequence[int]:
    """Where each request that posted something ends; nearly always all have one width.

    Raises MalformedRows.
    """
    if _fits(requests, _REQUEST_WIDTH, _REQUEST_FRAME):
        return range(_REQUEST_WIDTH, len(requests) + 1, _REQUEST_WIDTH)
    return list(accumulate(len(row) for _, row in split_rows(requests)))


def _check_entries(rows: memoryview) -> None:
    if not _fits(rows, ENTRY.size, _ENTRY_FRAME):
        odd = next(((key, row) for key, row in split_rows(rows) if len(row) != ENTRY.size), None)
        name = "NULL" if odd is None or _LONG.unpack_from(odd[1], 2)[0] < 0 else odd[0]
        raise MalformedRows("a field is NULL or of another width", f"entry_id {name}")


def _fits(rows: memoryview, width: int, frame: Mapping[int, int]) -> bool:
    """Whether all rows have this width and frame."""
    whole = rows.tobytes()
    count, rest = divmod(len(rows), width)
    return not rest and all(
        whole[at::width] == bytes([expected]) * count for at, expected in frame.items()
    )


def _octets(value: Value) -> bytes | None:
    match value:
        case bool():
            raise TypeError("a bool has no canonical encoding")
        case int():
            return value.to_bytes(8, "big", signed=True)
        case str():
            return value.encode()
        case UUID():
            return value.bytes
        case datetime():
            microseconds = (value - POSTGRES_EPOCH) // timedelta(microseconds=1)
            return microseconds.to_bytes(8, "big", signed=True)
        case None | bytes():
            return value
    raise TypeError(f"{type(value).__name__} has no canonical encoding")
