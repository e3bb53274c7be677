"""Group commit against a scripted database: gathering, order, faults, cancellation, the end."""

import asyncio
from itertools import pairwise

import pytest

from ledger.batcher import ANSWERED_AT_ONCE, GroupCommit
from ledger.errors import LedgerBusy


class Script:
    """A `commit` that waits until it is told to go on; items named "bad" spoil their batch."""

    def __init__(self):
        self.batches = []
        self.committed = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.busy = False

    async def commit(self, items):
        self.batches.append(list(items))
        await self.gate.wait()
        if self.busy:
            raise LedgerBusy
        if "bad" in items:
            raise ValueError("spoilt")
        self.committed += items
        return [f"done {item}" for item in items]


@pytest.fixture
def script():
    return Script()


@pytest.fixture
def group(script):
    return GroupCommit(script.commit, most=10, most_waiting=25)


async def settle(*futures):
    return await asyncio.gather(*futures, return_exceptions=True)


async def turns(count=5):
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_lone_item_goes_at_once(group, script):
    assert await group.submit("a") == "done a"
    assert script.batches == [["a"]]
    assert await group.submit("b") == "done b"
    assert (group.batches, group.items, group.waiting) == (2, 2, 0)


async def test_while_one_batch_is_in_flight_the_next_gathers(group, script):
    script.gate.clear()
    first = group.submit("a")
    await turns()
    rest = [group.submit(name) for name in "bcd"]
    await turns()
    assert script.batches == [["a"]]
    assert group.waiting == 3
    script.gate.set()
    assert await settle(first, *rest) == ["done a", "done b", "done c", "done d"]
    assert script.batches == [["a"], ["b", "c", "d"]]


async def test_what_comes_at_the_same_time_goes_together(script):
    group = GroupCommit(script.commit, most=100, most_waiting=100)
    answers = await settle(*(group.submit(number) for number in range(32)))
    assert answers == [f"done {number}" for number in range(32)]
    assert script.batches == [list(range(32))]


async def test_what_comes_a_turn_later_goes_with_it(group, script):
    async def client(name, later):
        for _ in range(later):
            await asyncio.sleep(0)
        return await group.submit(name)

    await asyncio.gather(client("a", 0), client("b", 1))
    assert script.batches == [["a", "b"]]


async def test_a_batch_has_its_most_and_nobody_is_passed_by(group, script):
    script.gate.clear()
    futures = [group.submit(number) for number in range(2)]
    await turns()
    futures += [group.submit(number) for number in range(2, 25)]
    await turns()
    script.gate.set()
    await settle(*futures)
    assert [len(batch) for batch in script.batches] == [2, 10, 10, 3]
    assert script.committed == list(range(25))


async def test_beyond_the_bound_is_busy(group, script):
    script.gate.clear()
    waiting = [group.submit(number) for number in range(25)]
    with pytest.raises(LedgerBusy):
        group.submit("too many")
    await turns()
    assert group.waiting == 15  # of 25 ten were taken
    script.gate.set()
    assert len(await settle(*waiting)) == 25
    assert await group.submit("again") == "done again"


async def test_only_the_item_at_fault_is_refused(group, script):
    script.gate.clear()
    first = group.submit("a")
    await turns()
    futures = [group.submit(name) for name in ("b", "c", "bad", "d", "e")]
    script.gate.set()
    answers = await settle(first, *futures)
    assert isinstance(answers.pop(3), ValueError)
    assert answers == ["done a", "done b", "done c", "done d", "done e"]
    assert script.committed == ["a", "b", "c", "d", "e"]


async def test_an_outage_is_everybodys(group, script):
    script.busy = True
    answers = await settle(*(group.submit(name) for name in "abc"))
    assert all(isinstance(answer, LedgerBusy) for answer in answers)
    assert len({id(answer) for answer in answers}) == 3
    script.busy = False
    assert await group.submit("d") == "done d"


async def test_a_waiter_that_leaves_before_its_batch_takes_its_item_back(group, script):
    script.gate.clear()
    first = group.submit("a")
    await turns()
    left, stayed = group.submit("b"), group.submit("c")
    left.cancel()
    script.gate.set()
    await settle(first, left, stayed)
    assert script.committed == ["a", "c"]


async def test_a_waiter_that_leaves_later_disturbs_nobody(group, script):
    script.gate.clear()
    left, stayed = group.submit("a"), group.submit("b")
    await turns()
    left.cancel()
    script.gate.set()
    assert await stayed == "done b"
    assert script.committed == ["a", "b"]


async def test_closing_answers_what_waits_and_takes_nothing_more(group, script):
    script.gate.clear()
    futures = [group.submit(number) for number in range(5)]
    await turns()
    closing = asyncio.create_task(group.close())
    await turns()
    with pytest.raises(LedgerBusy):
        group.submit("late")
    script.gate.set()
    await closing
    assert all(future.done() for future in futures)
    await group.close()


async def test_answers_are_given_by_few_a_turn(script):
    commits = GroupCommit(script.commit, most=100, most_waiting=100)
    futures = [commits.submit(n) for n in range(60)]
    seen = []
    while sum(future.done() for future in futures) < 60:
        await asyncio.sleep(0)
        seen.append(sum(future.done() for future in futures))
    assert max(later - before for before, later in pairwise(seen)) == ANSWERED_AT_ONCE
    assert [future.result() for future in futures] == [f"done {n}" for n in range(60)]


async def test_closing_waits_for_the_last_answer(script):
    commits = GroupCommit(script.commit, most=100, most_waiting=100)
    futures = [commits.submit(n) for n in range(60)]
    await commits.close()
    assert all(future.done() for future in futures)
