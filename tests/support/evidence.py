"""Encoded rows of the ledger, made by hand."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from ledger.evidence.batches import Batch
from ledger.evidence.chainer import Turn
from ledger.evidence.encoding import COPY_SIGNATURE, COPY_TRAILER, encode_row
from ledger.evidence.links import ChainBuilder, Link
from ledger.evidence.requests import PostedRows, Requests

AT = datetime(2026, 1, 2, tzinfo=UTC)
ONE, OTHER = UUID(int=1), UUID(int=2)


def log_row(sequence: int = 5, count: int = 1, events: str = "[]") -> memoryview:
    """A row of event_log."""
    return memoryview(encode_row(sequence, 0, count, AT, events))


def transaction_row(batch: int = 5, transaction: UUID = ONE, text: str = "x") -> memoryview:
    """A row of transactions."""
    return memoryview(encode_row(batch, transaction, "gift", text, None, None, None, AT, AT))


def entry_row(
    entry: int, account: UUID, amount: int, balance: int, *, transaction=ONE, batch=5, at=AT
) -> bytes:
    """A row of journal_entries."""
    return encode_row(entry, transaction, account, amount, balance, batch, at)


def batch(sequence: int = 5, text: str = "x", first_entry: int = 1, before: int = 0) -> Batch:
    """One transaction that moves 7 from ONE to OTHER; their balances are -before and before."""
    entries = entry_row(first_entry, ONE, -7, -before - 7, batch=sequence) + entry_row(
        first_entry + 1, OTHER, 7, before + 7, batch=sequence
    )
    return Batch(
        sequence,
        [log_row(sequence)],
        [transaction_row(sequence, text=text)],
        memoryview(entries),
    )


def request_row(
    batch: int = 5, request: UUID = ONE, *, caller: UUID = OTHER, text: bytes = b"h" * 32
) -> memoryview:
    """A row of requests that posted something."""
    return memoryview(encode_row(batch, caller, request, text, ONE, AT))


def unposted_row(position: int = 1, request: UUID = ONE, text: bytes = b"h" * 32) -> memoryview:
    """A row of requests that posted nothing."""
    return memoryview(encode_row(position, OTHER, request, text, AT))


def requests_of(
    posted: Iterable[bytes | memoryview] = (), unposted: Sequence[memoryview] = ()
) -> Requests:
    """The requests of a link."""
    return Requests(PostedRows.of(memoryview(b"".join(posted))), unposted)


def stream(*rows: bytes | memoryview) -> bytes:
    """The rows as COPY sends them."""
    return COPY_SIGNATURE + bytes(8) + b"".join(rows) + COPY_TRAILER


async def link_no_requests(
    turn: Turn, builder: ChainBuilder, limit: int
) -> tuple[list[Link], bool]:
    """In place of the chainer's own function: what chainers did before requests were linked."""
    return [], False
