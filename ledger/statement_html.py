"""Statements as one HTML page that prints well: no scripts, nothing loaded, everything escaped.

A browser's "print to PDF" of it is the PDF: A4 or letter, the head of the table on every page, no
line torn in two.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from ledger.decimals import major
from ledger.statements import StatementLine

STYLE = """
  body { font: 11pt/1.4 system-ui, sans-serif; color: #111; max-width: 60rem; margin: 2rem auto;
         padding: 0 1rem; }
  h1 { font-size: 1.5rem; margin-bottom: 0; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.5rem; }
  dt { color: #555; } dd { margin: 0; }
  table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
  th, td { text-align: left; padding: .35rem .5rem; border-bottom: 1px solid #ccc;
           vertical-align: top; overflow-wrap: anywhere; }
  th:nth-child(n+4), td:nth-child(n+4) { text-align: right; white-space: nowrap; }
  tfoot td { font-weight: 600; border-bottom: 0; }
  @page { size: auto; margin: 18mm 15mm; }
  @media print {
    body { max-width: none; margin: 0; padding: 0; }
    thead { display: table-header-group; } tfoot { display: table-row-group; }
    tr { break-inside: avoid; }
  }
"""


@dataclass(frozen=True, slots=True)
class StatementPage:
    """What stands on the page; lines are oldest first."""

    holder: str
    account: str
    currency: str
    scale: int
    begins_at: datetime | None
    ends_at: datetime | None
    made_at: datetime
    opening_minor: int
    closing_minor: int


def render(page: StatementPage, lines: Iterable[StatementLine]) -> str:
    """The whole document."""
    title = f"Statement: {page.account}"
    facts = {
        "Holder": page.holder,
        "Account": f"{page.account}, in {page.currency}",
        "Period": f"{_day(page.begins_at, 'the beginning')} to {_day(page.ends_at, 'now')}",
        "Opening balance": major(page.opening_minor, page.scale),
        "Closing balance": major(page.closing_minor, page.scale),
        "Made": _instant(page.made_at),
    }
    listed = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts.items()
    )
    rows = "\n".join(_row(line, page.scale) for line in lines)
    closing = _cells("", "", "Closing balance", "", major(page.closing_minor, page.scale))
    opening = _cells("", "", "Opening balance", "", major(page.opening_minor, page.scale))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
<dl>{listed}</dl>
<table>
<thead><tr><th>Date (UTC)</th><th>Transaction</th><th>What</th><th>Amount</th><th>Balance</th></tr>
</thead>
<tbody>
<tr>{opening}</tr>
{rows}
</tbody>
<tfoot><tr>{closing}</tr></tfoot>
</table>
</body>
</html>
"""


def _row(line: StatementLine, scale: int) -> str:
    cells = _cells(
        _instant(line.created_at),
        str(line.transaction_id),
        line.description,
        major(line.amount_minor, scale, signed=True),
        major(line.balance_minor, scale),
    )
    return f"<tr>{cells}</tr>"


def _cells(*texts: str) -> str:
    return "".join(f"<td>{escape(text)}</td>" for text in texts)


def _day(at: datetime | None, otherwise: str) -> str:
    return otherwise if at is None else _instant(at)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
