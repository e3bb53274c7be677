"""The chart of the database beside that of the product."""

import pytest

from ledger.accounts import CHART
from ledger.evidence.chart_check import ChartRow, chart_findings

SOUND = [ChartRow(line.code.value, line.per_user, line.guarded) for line in CHART.values()]
FIRST = SOUND[0]


def problems(rows):
    return [(found.table, found.row, found.problem) for found in chart_findings(rows)]


def test_the_products_own_chart_is_sound():
    assert problems(reversed(SOUND)) == []


@pytest.mark.parametrize(
    ("first", "problem"),
    [
        ([], "the row is missing"),
        ([FIRST._replace(per_user=True)], "per_user is True, it must be False"),
        ([FIRST._replace(guarded=True)], "guarded is True, it must be False"),
    ],
)
def test_what_is_not_as_it_must_be_is_named(first, problem):
    assert problems([*first, *SOUND[1:]]) == [("chart", "code issuance", problem)]


def test_a_row_that_was_added_is_named():
    [(table, row, problem)] = problems([*SOUND, ChartRow("slush", True, False)])
    assert (table, row) == ("chart", "code slush")
    assert "added" in problem
