"""The chart as the database has it, compared with that of the product: no link covers it."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ledger.accounts import CHART
from ledger.evidence.findings import Finding


class ChartRow(NamedTuple):
    """A row of the chart as it stands."""

    code: str
    per_user: bool
    guarded: bool


def chart_findings(rows: Iterable[ChartRow]) -> Iterator[Finding]:
    """What of all rows of the chart is not as in ledger/accounts.py."""
    expected = {
        line.code.value: ChartRow(line.code.value, line.per_user, line.guarded)
        for line in CHART.values()
    }
    found = {row.code: row for row in rows}
    for code in sorted(expected.keys() | found.keys()):
        if (problem := _problem(expected.get(code), found.get(code))) is not None:
            yield Finding("chart", f"code {code}", problem)


def _problem(expected: ChartRow | None, found: ChartRow | None) -> str | None:
    if found is None:
        return "the row is missing"
    if expected is None:
        return "the row was added: the product has no such account"
    if found.per_user != expected.per_user:
        return f"per_user is {found.per_user}, it must be {expected.per_user}"
    if found.guarded != expected.guarded:
        return f"guarded is {found.guarded}, it must be {expected.guarded}"
    return None
