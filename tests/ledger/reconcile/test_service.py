"""Differences that are planted, and found; files that are matched; the work list."""

import asyncio
from datetime import date
from uuid import uuid4

import pytest

from config.reconcile import ReconcileSettings, SettlementFormat
from ledger.reconcile.errors import (
    FileKnown,
    InvalidFile,
    ReconciliationKnown,
    UnknownDifference,
    UnknownProvider,
    UnknownReconciliation,
)
from ledger.reconcile.runs import RunKind
from ledger.reconcile.service import Reconciler
from ledger.reconcile.worklist import DifferenceState
from ledger.store.reconcile import ReconcileStore
from tests.support.history import fund, give, leg, post, reserve
from tests.support.settlements import bought, settlement

OPEN, CLEARED = DifferenceState.OPEN, DifferenceState.CLEARED
DAY = date(2026, 1, 10)


async def found(reconciler, state=OPEN):
    """The work list, as pairs of check and subject."""
    listed = await reconciler.differences(state, None, 100)
    return sorted((each.check_name, each.subject) for each in listed)


async def published(pool, stream):
    """Everything in the log goes to the stream, and the cursor behind it."""
    rows = await pool.fetch("SELECT sequence, events FROM ledger.event_log ORDER BY sequence")
    for row in rows:
        stream.put(row["sequence"], row["events"])
    await pool.execute(
        "UPDATE ledger.event_cursors SET sequence = $1 WHERE consumer = 'stream'",
        rows[-1]["sequence"],
    )
    return [row["sequence"] for row in rows]


# ---- internal ----


async def test_a_sound_ledger_has_no_differences(reconciler, pool, stream, clock):
    ann, ben = uuid4(), uuid4()
    await fund(pool, ann, 1000)
    for amount in (100, 50):
        await give(pool, ann, ben, amount)
    await reserve(pool, ann, 20)
    await published(pool, stream)
    run = await reconciler.internal()
    assert (run.kind, run.source, run.differences) == (RunKind.INTERNAL, "ledger", 0)
    assert run.details["batches"] == 4
    assert run.checked == sum(run.details.values()) > 3
    assert await reconciler.reconciliation(run.reconciliation_id) == run
    assert await reconciler.reconciliations(None, 10) == [run]
    assert await found(reconciler) == []


async def test_what_was_planted_is_found_and_cleared_once_it_is_mended(reconciler, pool, stream):
    ann = uuid4()
    transaction_id = await fund(pool, ann, 1000)
    await bought(pool, "A", 499, DAY, state="credited", user_id=ann, transaction_id=transaction_id)
    account = str(
        await pool.fetchval("SELECT account_id FROM ledger.accounts WHERE owner_id = $1", ann)
    )
    await published(pool, stream)
    await pool.execute(
        "UPDATE ledger.accounts SET balance_minor = balance_minor + 1, held_minor = 5"
        " WHERE owner_id = $1",
        ann,
    )
    planted = await reconciler.internal()
    assert [each for each, _ in await found(reconciler)] == [
        "balances",
        "currencies",
        "holds",
        "purchases",
    ]
    assert planted.differences == 4
    [first] = [
        each
        for each in await reconciler.differences(OPEN, None, 10)
        if each.check_name == "balances"
    ]
    assert first.subject == account
    assert first.reason == "balance_minor is 1001, that of its newest entry 1000"
    await reconciler.internal()
    assert len(await found(reconciler)) == 4  # each stands there once

    await pool.execute(
        "UPDATE ledger.accounts SET balance_minor = balance_minor - 1, held_minor = 0"
        " WHERE owner_id = $1",
        ann,
    )
    assert (await reconciler.internal()).differences == 1
    assert [each for each, _ in await found(reconciler)] == ["purchases"]
    assert len(await found(reconciler, CLEARED)) == 3


async def test_the_stream_is_compared_with_the_log(reconciler, pool, stream):
    ann = uuid4()
    for _ in range(4):
        await fund(pool, ann, 10)
    first, second, third, last = await published(pool, stream)
    del stream.batches[second]
    stream.put(third, "[]")
    stream.put(last + 1, "[]")
    assert (await reconciler.internal()).differences == 3
    assert await found(reconciler) == [
        ("stream", f"batch {each}") for each in (second, third, last + 1)
    ]
    # The stream forgets its oldest entries: that mends nothing.
    del stream.batches[first]
    del stream.batches[last + 1]
    stream.batches.pop(third)
    await reconciler.internal()
    assert await found(reconciler) == [("stream", f"batch {each}") for each in (second, third)]
    kept = dict(stream.batches)
    stream.batches.clear()
    for _ in range(2):
        assert (await reconciler.internal()).differences == 1
        assert len(await found(reconciler)) == 3
        assert ("stream", "whole stream") in await found(reconciler)
    stream.batches.update(kept)
    await reconciler.internal()
    assert len(await found(reconciler)) == 2


async def test_what_is_published_while_the_stream_is_read_is_no_difference(
    reconciler, pool, stream, monkeypatch
):
    await fund(pool, uuid4(), 10)
    await published(pool, stream)
    newest = stream.newest

    async def meanwhile(limit):
        seen = await newest(limit)
        await fund(pool, uuid4(), 10)
        await published(pool, stream)
        return seen

    monkeypatch.setattr(stream, "newest", meanwhile)
    assert (await reconciler.internal()).differences == 0


async def test_an_id_that_was_used_gives_its_run(reconciler):
    run_id, by = uuid4(), uuid4()
    run = await reconciler.internal(run_id, by)
    assert (run.reconciliation_id, run.started_by) == (run_id, by)
    assert await reconciler.internal(run_id, by) == run
    with pytest.raises(ReconciliationKnown):
        await reconciler.settlement("default", settlement(), run_id)
    assert len(await reconciler.reconciliations(None, 10)) == 1
    with pytest.raises(UnknownReconciliation):
        await reconciler.reconciliation(uuid4())


# ---- settlement files ----


async def test_a_file_is_matched_and_leftovers_go_to_the_work_list(reconciler, pool):
    one = await bought(pool, "A", 499, DAY)
    for name, paid in (("B", 300), ("C", 200)):
        await bought(pool, name, paid, DAY)
    lost = await bought(pool, "D", 777, date(2026, 1, 2))
    new = await bought(pool, "E", 900, DAY)
    file = settlement(
        "t1,A,4.99,EUR,2026-01-10",
        "t2,,5.00,EUR,2026-01-11",
        "t3,X,1.00,EUR,2026-01-11",
    )
    run = await reconciler.settlement("default", file)
    assert (run.kind, run.source, run.checked) == (RunKind.SETTLEMENT, "default", 3)
    assert (run.matched, run.differences) == (2, 2)
    assert run.details["totals_minor"] == {"EUR": 1099}
    assert run.details["waiting"] == 1  # E may be in the next file
    rows = await pool.fetch("SELECT side, item_key, match_id, kind FROM ledger.matched_items")
    matches = {row["match_id"] for row in rows}
    assert len(matches) == 2
    assert sorted(row["kind"] for row in rows) == ["reference"] * 2 + ["sum"] * 3
    assert f"purchase:{one}" in {row["item_key"] for row in rows}
    assert await found(reconciler) == [
        ("settlement default", f"ours purchase:{lost}"),
        ("settlement default", "theirs t3"),
    ]

    # What was left over is tried again with the next file, and is matched once.
    later = settlement("t4,E,9.00,EUR,2026-01-12", "t5,D,7.77,EUR,2026-01-12")
    again = await reconciler.settlement("default", later)
    assert (again.matched, again.differences) == (2, 1)
    assert await found(reconciler) == [("settlement default", "theirs t3")]
    assert await found(reconciler, CLEARED) == [("settlement default", f"ours purchase:{lost}")]
    assert f"purchase:{new}" in {
        row["item_key"] for row in await pool.fetch("SELECT item_key FROM ledger.matched_items")
    }


async def test_a_sum_that_may_be_chance_is_proposed_with_its_parts(reconciler, pool):
    keys = [await bought(pool, f"R{n}", 3**n + 10_000, DAY) for n in range(12)]
    total = sum(3**n + 10_000 for n in range(7))
    file = settlement(f"t1,,{total / 100:.2f},EUR,2026-01-10")
    assert (await reconciler.settlement("default", file)).matched == 0
    [line] = await reconciler.differences(OPEN, None, 10)
    assert line.reason.startswith("proposed: ")
    parts = line.reason.partition("its parts may be ")[2].split(", ")
    assert parts == sorted(f"purchase:{key}" for key in keys[:7])


async def test_an_older_file_clears_nothing_newer(reconciler, pool):
    lost = await bought(pool, "D", 777, DAY)
    await reconciler.settlement("default", settlement("t1,,1.00,EUR,2026-01-31"))
    subject = ("settlement default", f"ours purchase:{lost}")
    assert subject in await found(reconciler)
    await reconciler.settlement("default", settlement("t0,,2.00,EUR,2026-01-02"))
    assert subject in await found(reconciler)


async def test_refunds_go_out(reconciler, pool):
    ann = uuid4()
    refunded = await bought(pool, "A", 499, DAY, state="refunded")
    credit = await post(
        pool, leg(ann, "wallet", 500), leg(None, "payment_clearing", -500), kind="purchase"
    )
    await bought(pool, "B", 1000, DAY, state="credited", user_id=ann, transaction_id=credit)
    answer = await pool.fetchrow(
        "SELECT * FROM ledger.reverse($1, $2, $3, $4, 250, 'refuse', $5)",
        uuid4(),
        uuid4(),
        b"h" * 32,
        credit,
        {"kind": "refund", "description": "half of it", "memo": "", "metadata": {}},
    )
    assert answer["result"] == "posted", dict(answer)
    on = (await pool.fetchval("SELECT now()")).date()
    run = await reconciler.settlement(
        "default",
        settlement(
            "t1,A,4.99,EUR,2026-01-10",
            "t2,A,-4.99,EUR,2026-01-10",
            "t3,B,10.00,EUR,2026-01-10",
            f"t4,B,-5.00,EUR,{on}",
        ),
    )
    assert (run.matched, run.differences) == (4, 0)
    keys = {row[0] for row in await pool.fetch("SELECT item_key FROM ledger.matched_items")}
    assert {f"purchase:{refunded}", f"refund:{refunded}"} <= keys


async def test_a_file_is_taken_once(reconciler, pool):
    await bought(pool, "A", 499, DAY)
    file = settlement("t1,A,4.99,EUR,2026-01-10")
    run_id = uuid4()
    run = await reconciler.settlement("default", file, run_id)
    assert await reconciler.settlement("default", file.decode(), run_id) == run
    with pytest.raises(FileKnown) as caught:
        await reconciler.settlement("default", file)
    assert caught.value.reconciliation_id == run_id
    with pytest.raises(ReconciliationKnown):
        await reconciler.settlement("default", settlement(), run_id)
    # Its lines in another file are known.
    more = await reconciler.settlement("default", settlement("t1,A,4.99,EUR,2026-01-10", ""))
    assert (more.details["lines_new"], more.details["lines_known"], more.matched) == (0, 1, 0)


async def test_of_one_file_taken_by_many_at_once_one_is_kept(reconciler, pool):
    await bought(pool, "A", 499, DAY)
    file = settlement("t1,A,4.99,EUR,2026-01-10")
    outcomes = await asyncio.gather(
        *(reconciler.settlement("default", file) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(outcome, FileKnown) for outcome in outcomes) == 3
    assert await pool.fetchval("SELECT count(*) FROM ledger.settlement_lines") == 1


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        (["t1,A,4.99,EUR,2026-01-10", "t2,B,x,EUR,2026-01-10"], "line 3"),
        (["t1,A,4.99,EUR,2026-01-10", "t1,B,1,EUR,2026-01-10"], "line 3"),
        (["t1,A,4.99,ABC,2026-01-10"], "line 2"),
        (["t1,A,4.99,EUR,2026-13-10"], "line 2"),
        (["t1,A,4.99,EUR,9999-12-31"], "line 2"),
        (["t1,A,4.99,EUR,0001-01-01"], "line 2"),
        ([f"t{n},A,{2**62},COIN,2026-01-10" for n in range(3)], "line 1"),
    ],
)
async def test_of_a_malformed_file_nothing_is_used(reconciler, pool, rows, field):
    await bought(pool, "A", 499, DAY)
    with pytest.raises(InvalidFile) as caught:
        await reconciler.settlement("default", settlement(*rows))
    assert caught.value.field == field
    assert await pool.fetchval("SELECT count(*) FROM ledger.settlement_lines") == 0
    assert await reconciler.reconciliations(None, 10) == []


async def test_a_line_that_says_something_else_later_is_refused(reconciler, pool):
    await reconciler.settlement("default", settlement("t1,A,4.99,EUR,2026-01-10"))
    with pytest.raises(InvalidFile, match="earlier file"):
        await reconciler.settlement("default", settlement("t1,A,5.99,EUR,2026-01-10"))
    with pytest.raises(UnknownProvider):
        await reconciler.settlement("nobody", settlement())


# ---- the work list ----


async def test_what_is_resolved_is_not_listed_again_with_every_file(reconciler):
    await reconciler.settlement("default", settlement("t1,X,1.00,EUR,2026-01-10"))
    [line] = await reconciler.differences(OPEN, None, 10)
    ada = uuid4()
    assert (await reconciler.assign(line.difference_id, ada)).assigned_to == ada
    resolved = await reconciler.resolve(line.difference_id, "their fee")
    assert (resolved.state, resolved.note) == (DifferenceState.RESOLVED, "their fee")
    await reconciler.settlement("default", settlement("t2,Y,2.00,EUR,2026-01-10"))
    assert await found(reconciler) == [("settlement default", "theirs t2")]
    newest, oldest = await reconciler.differences(None, None, 10)
    assert oldest == resolved
    assert await reconciler.differences(None, newest.difference_id, 10) == [resolved]
    with pytest.raises(UnknownDifference):
        await reconciler.resolve(uuid4(), "which?")


# ---- by schedule ----


async def test_the_schedule_compares_when_it_is_due_and_takes_the_inbox(
    pool, stream, clock, tmp_path, caplog
):
    folder = tmp_path / "acme"
    folder.mkdir()
    (folder / "1.csv").write_bytes(settlement("t1,,1.00,EUR,2026-01-10"))
    (folder / "2.csv").write_bytes(b"nonsense")
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "1.csv").write_bytes(settlement())
    settings = ReconcileSettings(
        every_s=60, inbox=str(tmp_path), providers={"acme": SettlementFormat()}
    )
    reconciler = Reconciler(ReconcileStore(pool), settings, published=stream, clock=clock)
    assert await reconciler.turn()
    assert not await reconciler.turn()
    runs = await reconciler.reconciliations(None, 10)
    assert sorted(run.kind for run in runs) == ["internal", "settlement"]
    unusable = [each for each in caplog.records if "can't be used" in each.message]
    assert {each.path for each in unusable} == {
        str(folder / "2.csv"),
        str(tmp_path / "strange" / "1.csv"),
    }
    clock.advance(60)
    assert await reconciler.turn()
    runs = await reconciler.reconciliations(None, 10)
    assert sorted(run.kind for run in runs) == ["internal", "internal", "settlement"]


async def test_a_clock_that_was_ahead_puts_the_schedule_off_for_one_time_at_most(reconciler, clock):
    hour = 3600
    clock.advance(365 * 24 * hour)
    assert await reconciler.turn()
    clock.advance(-365 * 24 * hour)
    assert [await reconciler.turn() for _ in range(2)] == [True, False]
    clock.advance(hour)
    assert await reconciler.turn()
    clock.advance(-60)  # put right by a minute
    assert not await reconciler.turn()
    clock.advance(hour + 60)
    assert await reconciler.turn()


async def test_a_turn_that_fails_is_said_and_the_schedule_goes_on(reconciler, stream, caplog):
    failed = asyncio.Event()

    async def away(limit):
        failed.set()
        raise ConnectionError

    stream.newest = away
    task = asyncio.create_task(reconciler.run())
    await failed.wait()
    while "reconciliation failed" not in caplog.text:
        await asyncio.sleep(0)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
