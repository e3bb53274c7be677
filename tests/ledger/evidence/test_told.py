"""What batches tell: of the kinds of events that are listened for, and of currencies."""

from datetime import UTC, datetime
from uuid import uuid4

import orjson
import pytest

from config.ledger import EvidenceSettings
from ledger.evidence.chainer import Chainer
from ledger.evidence.holds import HoldRow
from ledger.evidence.told import Told
from ledger.evidence.verify import Verifier
from ledger.store.evidence import EvidenceStore
from tests.support.evidence import AT, ONE, OTHER, log_row
from tests.support.forger import newest_hold
from tests.support.history import capture, fund, reserve, void
from tests.support.old_ledger import ledger_before

COIN, EURO = ("COIN", 0), ("EURO", 2)


def added(currency="EURO", scale=2):
    return {"type": "currency.added", "data": {"currency": currency, "scale": scale}}


def noted(told, *events):
    row = log_row(events=orjson.dumps(events).decode())
    return [(found.table, found.row, found.problem) for found in told.note([row])]


def compared(told, *rows):
    return [(found.row, found.problem) for found in told.compare_currencies(rows)]


def test_the_products_own_currency_is_known_without_an_event():
    assert compared(Told(), COIN) == []
    assert compared(Told(), ("COIN", 2)) == [("currency COIN", "scale is 2, it was added with 0")]
    assert compared(Told()) == [("currency COIN", "the row is missing")]


def test_others_are_as_they_were_added():
    told = Told()
    assert noted(told, {"type": "posting.made", "data": {}}, added()) == []
    assert compared(told, COIN, EURO) == []
    assert compared(told, COIN, ("EURO", 4)) == [
        ("currency EURO", "scale is 4, it was added with 2")
    ]
    assert compared(told, COIN) == [("currency EURO", "the row is missing")]
    [(row, problem)] = compared(told, COIN, EURO, ("YEN", 0))
    assert row == "currency YEN"
    assert "added" in problem


def test_a_currency_is_not_added_anew_with_another_scale():
    told = Told()
    assert noted(told, added(), added()) == []
    [(table, row, problem)] = noted(told, added(scale=4))
    assert (table, row) == ("event_log", "sequence 5")
    assert "another scale" in problem


def test_accounts_are_described_as_the_newest_event_says():
    told = Told()
    for digest in ("ab", "cd"):
        data = {"account_id": str(ONE), "metadata_sha256": digest}
        assert noted(told, {"type": "account.described", "data": data}) == []
    assert list(told.compare_descriptions([(ONE, "cd")])) == []
    for rows in ([(ONE, "ab")], [], [(ONE, "cd"), (OTHER, "ef")]):
        [found] = told.compare_descriptions(rows)
        assert found.row == f"account_id {OTHER if len(rows) == 2 else ONE}"
    assert list(Told().compare_descriptions([])) == []


@pytest.mark.parametrize(
    "events",
    ['["currency.added"', '["currency.added"]', '[{"type":"currency.added"}]', '{"hold.changed":1}']
    + [f'[{{"type":"hold.changed","data":{data}}}]' for data in ("{}", "[]", '{"hold_id":7}')],
)
def test_events_that_cannot_be_read_are_named(events):
    [found] = Told().note([log_row(events=events)])
    assert (found.table, found.row) == ("event_log", "sequence 5")
    assert "can't be read" in found.problem


def test_other_events_are_not_even_read():
    assert list(Told().note([log_row(events="no JSON at all")])) == []


def test_a_batch_of_gifts_is_known_by_its_first_event():
    """As the writer of gifts makes them: nothing else is in one."""
    first = orjson.dumps({"event_id": str(ONE), "sequence": -(2**63), "type": "gift.sent"}).decode()
    assert list(Told().note([log_row(events=f'[{first},"hold.changed"]')])) == []


async def test_a_hold_may_be_for_whatever_somebody_writes(pool):
    await fund(pool, ann := uuid4(), 100)
    for reason in ("gift.sent", '"type":"gift.sent"', "hold.changed"):
        await reserve(pool, ann, 5, reason=reason)
    evidence = EvidenceStore(pool)
    await Chainer(evidence, EvidenceSettings(), clock=lambda: datetime.now(UTC)).catch_up()
    report = await Verifier(evidence, keys={}, now=datetime.now(UTC)).verify()
    assert report.findings == ()


def test_holds_are_named_by_their_ids():
    told = Told()
    hold = {"hold_id": str(ONE), "owner_id": None, "code": "wallet", "currency": "COIN"}
    amounts = {"state": "open", "amount_minor": 5, "captured_minor": 0}
    assert noted(told, {"type": "hold.changed", "data": hold | amounts}) == []
    assert [str(found) for found in told.missing_holds()] == [
        f"ledger.holds, hold_id {ONE}: the row is missing"
    ]
    row = HoldRow(ONE, None, "wallet", "COIN", "open", 6, 0, "x", "y", None, AT, None)
    [found] = told.compare_hold(row)
    assert (found.table, found.row) == ("holds", f"hold_id {ONE}")
    assert list(told.missing_holds()) == []


async def test_holds_and_currencies_of_before_are_sound_after_the_migration(stores):
    """Events of before say less, and currencies have none: what there is is told of once."""
    async with ledger_before(53, stores[0]) as (pool, to_come):
        await pool.execute("INSERT INTO ledger.currencies VALUES ('EURO', 2)")
        await fund(pool, ann := uuid4(), 100)
        describe = "SELECT ledger.describe_account($1, 'wallet', 'COIN', $2)"
        await pool.execute(describe, ann, {"before": 1})
        for close in (void, capture, None):
            await reserve(pool, ann, 10)
            if close is not None:
                await close(pool, await newest_hold(pool))
        evidence = EvidenceStore(pool)
        chainer = Chainer(evidence, EvidenceSettings(), clock=lambda: datetime.now(UTC))
        await chainer.catch_up()
        for each in to_come:
            await pool.execute(each.sql)
        await capture(pool, await newest_hold(pool), 3)
        await reserve(pool, ann, 20, metadata={"a": 1})
        await chainer.catch_up()

        async def findings():
            report = await Verifier(evidence, keys={}, now=datetime.now(UTC)).verify()
            return [str(found) for found in report.findings]

        assert await findings() == []
        for metadata in ({"since": 2}, {}):
            await pool.execute(describe, ann, metadata)
            assert await findings() == []
        await pool.execute("DROP TRIGGER append_only ON ledger.currencies")
        await pool.execute("UPDATE ledger.currencies SET scale = 4 WHERE currency = 'EURO'")
        assert await findings() == [
            "ledger.currencies, currency EURO: scale is 4, it was added with 2"
        ]
