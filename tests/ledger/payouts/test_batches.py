"""Files out and in, and a process that dies in the middle of them."""

import asyncio
import hashlib
from uuid import UUID, uuid4

import pytest

from ledger.errors import IdempotencyMismatch, LedgerBusy
from ledger.payouts.errors import BatchNotReady, FileRefused, FileRepeated, UnknownBatch
from ledger.payouts.files import RESULT_HEADER
from ledger.payouts.results import ResultSource
from tests.support.crashes import Killed, MortalDatabase, die_everywhere
from tests.support.payout_house import SAGAS, House, result

ADMIN = uuid4()


async def held(house, count):
    payouts = []
    for n in range(count):
        house.clock.advance(1)  # ids tell their time: the oldest is the first
        payouts.append(await house.ask(house.user(), 1_000 + n))
    await house.settle()
    return payouts


def answer(*rows):
    lines = [",".join(map(str, row)) for row in rows]
    total = sum(row[1] for row in rows)
    return "\n".join([",".join(RESULT_HEADER), *lines, f"TOTAL,{len(rows)},{total},,,"]).encode()


async def test_a_batch_takes_what_is_held_and_is_made_once(house):
    payouts = await held(house, 3)
    batch_id = uuid4()
    batch = await house.batches.make(batch_id, ADMIN)
    assert (batch.created_by, batch.sealed_at) == (ADMIN, None)
    with pytest.raises(BatchNotReady):
        await house.batches.file(batch_id)
    await house.settle()
    late = await held(house, 1)
    assert (await house.batches.make(batch_id, uuid4())).created_by == ADMIN
    file = await house.batches.file(batch_id)
    sealed = await house.batches.make(batch_id, ADMIN)
    assert (sealed.lines, sealed.total_minor) == (3, 3_003)
    assert sealed.sha256 == hashlib.sha256(file).digest()
    assert all(str(payout.payout_id).encode() in file for payout in payouts)
    assert str(late[0].payout_id).encode() not in file
    assert await house.state(late[0]) == "held"


async def test_nothing_is_taken_into_a_batch_that_is_complete(house):
    async def waiting(*args):
        waits.set()
        await goes_on.wait()
        return await oldest_held(*args)

    await held(house, 1)
    slow, waits, goes_on = house.restarted(), asyncio.Event(), asyncio.Event()
    oldest_held, slow.store.oldest_held = slow.store.oldest_held, waiting
    batch_id = uuid4()
    equal = asyncio.create_task(slow.batches.make(batch_id, ADMIN))
    await waits.wait()
    await house.batches.make(batch_id, ADMIN)
    await house.settle()
    file = await house.batches.file(batch_id)
    [late] = await held(house, 1)
    goes_on.set()
    assert (await equal).lines == 1
    await house.settle()
    assert str(late.payout_id).encode() not in file
    assert await house.state(late) == "held", "it goes into the next file"


async def test_two_equal_requests_at_once_make_no_batch_that_is_too_large(database, clock):
    house = House(database, clock, fields={"batch_payouts": 2})
    await held(house, 4)
    slow, waits, goes_on = house.restarted(), asyncio.Event(), asyncio.Event()
    begin_sending = slow.steps.begin_sending

    async def waiting(*args):
        waits.set()
        await goes_on.wait()
        return await begin_sending(*args)

    slow.steps.begin_sending = waiting
    batch_id = uuid4()
    equal = asyncio.create_task(slow.batches.make(batch_id, ADMIN))
    await waits.wait()
    for payout in (await house.store.oldest_held(UUID(int=0), 4))[2:]:
        await house.steps.begin_sending(payout, batch_id)
    goes_on.set()
    await equal
    assert len(await house.store.of_batch(batch_id)) == 2


async def test_the_file_stays_the_same_bytes(house):
    payouts = await held(house, 2)
    batch_id = uuid4()
    await house.batches.make(batch_id, ADMIN)
    await house.settle()
    first = await house.batches.file(batch_id)
    row = (payouts[0].payout_id, 1_000, "COIN", "failed", "", "Closed.")
    await house.batches.take_results(uuid4(), answer(row), ADMIN)
    await house.settle()
    assert await house.batches.file(batch_id) == first


async def test_a_result_that_was_said_before_keeps_it_out_of_the_file(house):
    payouts = await held(house, 2)
    batch_id = uuid4()
    await house.batches.make(batch_id, ADMIN)
    await house.settle()
    failed = result(payouts[0], "failed", "Wrong account.")
    await house.settlement.record(failed, ResultSource.ADMIN, ADMIN)
    await house.settle()
    file = await house.batches.file(batch_id)
    assert str(payouts[0].payout_id).encode() not in file, "it was given back"
    assert str(payouts[1].payout_id).encode() in file


async def test_what_is_in_a_file_is_paid_by_hand_alone(wired):
    wired.steps._settings = wired.settings.model_copy(update={"provider": "manual"})
    payout = await wired.ask(wired.user())
    await wired.settle()
    wired.steps._settings = wired.settings  # from now on the bank pays what is new
    batch_id = uuid4()
    await wired.batches.make(batch_id, ADMIN)
    await wired.settle()
    assert str(payout.payout_id).encode() in await wired.batches.file(batch_id)
    assert wired.bank.paid == {}


async def test_a_file_that_was_changed_is_not_given_out(house, pool):
    await held(house, 1)
    batch_id = uuid4()
    await house.batches.make(batch_id, ADMIN)
    await house.settle()
    await house.batches.file(batch_id)
    await pool.execute("UPDATE ledger.payout_batches SET content = 'other'")
    with pytest.raises(RuntimeError, match="not what it was"):
        await house.batches.file(batch_id)


async def test_what_could_not_be_booked_is_not_in_the_file(house):
    payouts = await held(house, 1)
    house.books.expire()
    batch_id = uuid4()
    await house.batches.make(batch_id, ADMIN)
    await house.settle()
    assert b"TOTAL,0,0," in await house.batches.file(batch_id)
    assert await house.state(payouts[0]) == "failed"


async def test_a_batch_has_a_most_and_the_oldest_go_first(database, clock):
    house = House(database, clock, fields={"batch_payouts": 2})
    payouts = await held(house, 3)
    await house.batches.make(uuid4(), ADMIN)
    await house.settle()
    assert [await house.state(payout) for payout in payouts] == ["sent", "sent", "held"]


async def test_two_batches_at_once_share_no_payout(house):
    await held(house, 6)
    ids = [uuid4(), uuid4()]
    await asyncio.gather(*(house.batches.make(batch_id, ADMIN) for batch_id in ids))
    await house.settle()
    for batch_id in ids:
        await house.batches.file(batch_id)
    made = [await house.batches.make(batch_id, ADMIN) for batch_id in ids]
    assert sum(batch.lines for batch in made) == 6
    assert sum(batch.total_minor for batch in made) == 6_015
    page = await house.batches.batches(None, 1)
    rest = await house.batches.batches(page.next_cursor, 1)
    assert {page.batches[0].batch_id, rest.batches[0].batch_id} == set(ids)
    assert rest.next_cursor is None


async def test_unknown_ones_are_refused(house):
    with pytest.raises(UnknownBatch):
        await house.batches.file(uuid4())
    with pytest.raises(UnknownBatch):
        await house.batches.report(uuid4())


async def test_results_are_applied_line_by_line_and_once(house):
    payouts = await held(house, 3)
    await house.batches.make(uuid4(), ADMIN)
    await house.settle()
    content = answer(
        (payouts[0].payout_id, 1_000, "COIN", "settled", "TX-1", ""),
        (payouts[1].payout_id, 1_001, "COIN", "failed", "", "Closed."),
        (payouts[2].payout_id, 9_999, "COIN", "settled", "TX-3", ""),
        (uuid4(), 5, "COIN", "settled", "", ""),
    )
    import_id = uuid4()
    report = await house.batches.take_results(import_id, content, ADMIN)
    assert (report.lines, report.news, report.known) == (4, 2, 0)
    assert [line["code"] for line in report.refused] == ["contradictory_result", "not_found"]
    assert await house.batches.take_results(import_id, content, ADMIN) == report
    assert await house.batches.report(import_id) == report
    with pytest.raises(FileRepeated):
        await house.batches.take_results(uuid4(), content, ADMIN)
    with pytest.raises(IdempotencyMismatch):
        await house.batches.take_results(import_id, content + b"\n", ADMIN)
    await house.settle()
    assert [await house.state(payout) for payout in payouts] == ["settled", "failed", "sent"]
    assert house.books.paid == 1_000
    known = answer((payouts[0].payout_id, 1_000, "COIN", "settled", "TX-1", ""))
    assert (await house.batches.take_results(uuid4(), known, ADMIN)).known == 1


async def test_a_file_that_was_cut_off_goes_on_under_whatever_id(house, monkeypatch):
    payouts = await held(house, 3)
    await house.batches.make(uuid4(), ADMIN)
    await house.settle()
    rows = [(p.payout_id, p.amount_minor, "COIN", "settled", "", "") for p in payouts]
    first_id, content, record = uuid4(), answer(*rows), house.settlement.record

    async def busy(said, *others):
        if said.payout_id == payouts[1].payout_id:
            raise LedgerBusy
        return await record(said, *others)

    with monkeypatch.context() as patch:
        patch.setattr(house.settlement, "record", busy)
        with pytest.raises(LedgerBusy):
            await house.batches.take_results(first_id, content, ADMIN)
    report = await house.batches.take_results(uuid4(), content, ADMIN)
    assert (report.import_id, report.news, report.known) == (first_id, 2, 1)
    assert [await house.state(payout) for payout in payouts] == ["settled"] * 3
    assert await house.batches.take_results(first_id, content, ADMIN) == report
    with pytest.raises(FileRepeated):
        await house.batches.take_results(uuid4(), content, ADMIN)


async def test_a_file_that_can_t_be_read_changes_nothing(house):
    payouts = await held(house, 1)
    await house.batches.make(uuid4(), ADMIN)
    await house.settle()
    content = answer((payouts[0].payout_id, 1_000, "COIN", "settled", "", ""))
    with pytest.raises(FileRefused):
        await house.batches.take_results(uuid4(), content.replace(b"TOTAL,1", b"TOTAL,2"), ADMIN)
    assert await house.state(payouts[0]) == "sent"
    assert (await house.batches.take_results(uuid4(), content, ADMIN)).news == 1


@pytest.mark.slow
async def test_dying_at_any_point_of_a_batch_loses_and_doubles_nothing(database, clock):
    world = House(database, clock)
    payouts = []

    async def live(dies_at):
        payouts[:] = await held(world, 2)
        world.books.paid = 0
        batch_id, import_id = uuid4(), uuid4()
        mortal = MortalDatabase(database, dies_at)
        try:
            await go_through(world.restarted(mortal), batch_id, import_id)
        except Killed:
            clock.advance(SAGAS.lease_s)
            await go_through(world.restarted(), batch_id, import_id)
        return mortal.points

    async def go_through(house, batch_id, import_id):
        await house.batches.make(batch_id, ADMIN)
        await world.settle()
        assert b"TOTAL,2," in await house.batches.file(batch_id)
        rows = [(p.payout_id, p.amount_minor, "COIN", "settled", "", "") for p in payouts]
        report = await house.batches.take_results(import_id, answer(*rows), ADMIN)
        assert report.news + report.known == 2
        await world.settle()

    async def judge():
        assert [await world.state(payout) for payout in payouts] == ["settled", "settled"]
        assert (world.books.paid, world.books.on_the_way) == (2_001, 0)

    assert await die_everywhere(live, judge) > 30
