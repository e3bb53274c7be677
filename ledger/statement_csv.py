"""Statements as CSV (RFC 4180): one header, one record an entry, lines that end in CR LF.

Text that a spreadsheet would take for a formula is made harmless with an apostrophe in front
(OWASP, "CSV injection"). Numbers are ours and stay numbers, with the minus sign of a debit.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from ledger.decimals import major
from ledger.statements import StatementLine

HEADER = (
    "posted_at",
    "entry_id",
    "transaction_id",
    "kind",
    "description",
    "amount",
    "balance",
    "currency",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def header() -> str:
    """The first line."""
    return _record(HEADER)


def records(lines: Iterable[StatementLine], currency: str, scale: int) -> str:
    """A record for each line, in their order."""
    return "".join(
        _record(
            (
                _rfc3339(line.created_at),
                str(line.entry_id),
                str(line.transaction_id),
                safe_cell(line.kind),
                safe_cell(line.description),
                major(line.amount_minor, scale),
                major(line.balance_minor, scale),
                currency,
            )
        )
        for line in lines
    )


def safe_cell(text: str) -> str:
    """`text` as no spreadsheet takes it for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _record(fields: Iterable[str]) -> str:
    return ",".join(map(_field, fields)) + "\r\n"


def _field(text: str) -> str:
    # RFC 4180 §2: fields with quotes, commas or line breaks are quoted, and quotes in them doubled.
    if any(each in text for each in '",\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
