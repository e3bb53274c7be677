"""Whole statements: every entry of a period, whatever the page size, up to a limit."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from ledger import statement_export as module
from ledger.accounts import AccountCode
from ledger.errors import InvalidPage, LedgerBusy
from ledger.postings import Leg, Posting, to_document
from ledger.statement_export import StatementExport
from ledger.statements import ALWAYS, Period

NOW = datetime(2026, 1, 31, tzinfo=UTC)
POST = "SELECT * FROM ledger.post($1, $2, $3, $4)"


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


class BetweenPages:
    """The ledger's service, for exports; commits a transaction behind the first page."""

    def __init__(self, ledger, transaction) -> None:
        self.currency, self.scale = ledger.currency, ledger.scale
        self._ledger = ledger
        self._transaction = transaction

    async def statement(self, *args, **kwargs):
        page = await self._ledger.statement(*args, **kwargs)
        if self._transaction is not None:
            await self._transaction.commit()
            self._transaction = None
        return page


async def test_what_is_committed_between_two_pages_is_on_all_of_them(
    ledger, fund, gift, pool, monkeypatch
):
    monkeypatch.setattr(module, "MAX_LINES", 2)
    ann, ben, cleo = uuid4(), uuid4(), uuid4()
    await fund(ann, 100)
    await fund(cleo, 100)
    await ledger.send_gift(gift(payer_id=cleo, payee_id=ben))
    legs = (Leg(ann, AccountCode.WALLET, -5, "COIN"), Leg(ben, AccountCode.EARNINGS, 5, "COIN"))
    late = to_document(Posting(kind="correction", description="late", legs=legs))
    async with pool.acquire() as slow:
        transaction = slow.transaction()
        await transaction.start()
        await slow.fetch(POST, ann, uuid4(), b"h" * 32, [late])
        for _ in range(3):
            await ledger.send_gift(gift(payer_id=cleo, payee_id=ben))
        page = await StatementExport(BetweenPages(ledger, transaction)).csv(ben, "earnings", ALWAYS)
    amounts = [line.split(",")[5] for line in page.split("\r\n")[1:-1]]
    assert sorted(amounts) == ["5", "7", "7", "7", "7"]


async def test_what_never_adds_up_is_no_statement(ledger, fund, monkeypatch):
    await fund(user := uuid4(), 5)
    statement = await ledger.statement(user, account="wallet", cursor=None, limit=9)

    async def changed(*_, **__):
        return replace(statement, closing_balance_minor=6)

    monkeypatch.setattr(ledger, "statement", changed)
    with pytest.raises(LedgerBusy):
        await StatementExport(ledger).csv(user, "wallet", ALWAYS)


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
