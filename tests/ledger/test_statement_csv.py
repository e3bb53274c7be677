"""CSV that any reader takes and no spreadsheet runs."""

import csv
import io
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.statement_csv import HEADER, header, records, safe_cell
from ledger.statements import StatementLine

AT = datetime(2026, 1, 31, 12, 0, 0, 5000, tzinfo=UTC)


def line(description="1 × Rose", amount=-10):
    return StatementLine(7, UUID(int=1), "gift", amount, 90, description, AT)


def test_a_record():
    assert header() == (
        "posted_at,entry_id,transaction_id,kind,description,amount,balance,currency\r\n"
    )
    assert records([line()], "COIN", 0) == (
        "2026-01-31T12:00:00.005Z,7,00000000-0000-0000-0000-000000000001,gift,1 × Rose,"
        "-10,90,COIN\r\n"
    )
    assert records([line(amount=-1050)], "USD", 2).split(",")[5:7] == ["-10.50", "0.90"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"])
def test_formulas_are_made_harmless(text):
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["Rose", "1 × Rose", "a=b", "", "ü-1"])
def test_other_text_is_left_alone(text):
    assert safe_cell(text) == text


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_description_comes_back(description):
    text = header() + records([line(description)], "COIN", 0)
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    assert [row["description"] for row in rows] == [safe_cell(description)]
    assert tuple(rows[0]) == HEADER
