"""Whole statements: every entry of a period, whatever the page size, up to a limit."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from ledger import statement_export as module
from ledger.errors import InvalidPage
from ledger.statement_export import StatementExport
from ledger.statements import ALWAYS, Period

NOW = datetime(2026, 1, 31, tzinfo=UTC)


async def test_all_pages_are_in_it_oldest_first(ledger, fund, monkeypatch):
    monkeypatch.setattr(module, "MAX_LINES", 2)
    user = uuid4()
    for amount in (1, 2, 3, 4, 5):
        await fund(user, amount)
    text = await StatementExport(ledger).csv(user, "wallet", ALWAYS)
    records = [line.split(",") for line in text.split("\r\n")[1:-1]]
    assert [record[5] for record in records] == ["1", "2", "3", "4", "5"]
    assert [record[6] for record in records] == ["1", "3", "6", "10", "15"]
    page = await StatementExport(ledger).html(user, "wallet", ALWAYS, holder="Vera", now=NOW)
    assert page.count("<tr>") == 5 + 3
    assert "Vera" in page


async def test_an_account_without_entries_has_an_empty_one(ledger):
    text = await StatementExport(ledger).csv(uuid4(), "earnings", ALWAYS)
    assert text.count("\r\n") == 1


async def test_too_much_is_refused(ledger, fund, monkeypatch):
    monkeypatch.setattr(module, "MOST_LINES", 2)
    user = uuid4()
    for _ in range(3):
        await fund(user, 1)
    with pytest.raises(InvalidPage, match="shorter period"):
        await StatementExport(ledger).csv(user, "wallet", ALWAYS)
    early = Period(ends_at=datetime(2000, 1, 1, tzinfo=UTC))
    assert (await StatementExport(ledger).csv(user, "wallet", early)).count("\r\n") == 1
