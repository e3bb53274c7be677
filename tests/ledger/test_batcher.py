"""Group commit against a scripted database: gathering, order, faults, cancellation, the end."""

import asyncio
from itertools import pairwise

import pytest

from ledger.batcher import ANSWERED_AT_ONCE, WORTH_A_WAY, GroupCommit
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
    return group_of(script, most=10, most_waiting=25)


def group_of(*scripts, most=100, most_waiting=100):
    ways = [script.commit for script in scripts]
    return GroupCommit(ways, key=str, most=most, most_waiting=most_waiting)


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
    group = group_of(script)
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
    commits = group_of(script)
    futures = [commits.submit(n) for n in range(60)]
    seen = []
    while sum(future.done() for future in futures) < 60:
        await asyncio.sleep(0)
        seen.append(sum(future.done() for future in futures))
    assert max(later - before for before, later in pairwise(seen)) == ANSWERED_AT_ONCE
    assert [future.result() for future in futures] == [f"done {n}" for n in range(60)]


async def test_closing_waits_for_the_last_answer(script):
    commits = group_of(script)
    futures = [commits.submit(n) for n in range(60)]
    await commits.close()
    assert all(future.done() for future in futures)


@pytest.fixture
def other():
    return Script()


def held(*scripts):
    for script in scripts:
        script.gate.clear()


async def test_many_at_once_are_shared_by_the_ways(script, other):
    group = group_of(script, other)
    held(script, other)
    futures = [group.submit(number) for number in range(2 * WORTH_A_WAY)]
    await turns()
    assert script.batches == [list(range(WORTH_A_WAY))]
    assert other.batches == [list(range(WORTH_A_WAY, 2 * WORTH_A_WAY))]
    script.gate.set()
    other.gate.set()
    assert await settle(*futures) == [f"done {number}" for number in range(2 * WORTH_A_WAY)]


async def test_few_do_not_share_the_ways(script, other):
    group = group_of(script, other)
    held(script)
    futures = [group.submit(number) for number in range(2 * WORTH_A_WAY - 1)]
    await turns()
    futures += [group.submit(-number) for number in range(1, WORTH_A_WAY)]
    await turns()
    assert [len(batch) for batch in script.batches] == [2 * WORTH_A_WAY - 1]
    assert other.batches == []
    script.gate.set()
    await settle(*futures)
    assert [len(batch) for batch in script.batches] == [2 * WORTH_A_WAY - 1, WORTH_A_WAY - 1]
    assert other.batches == []


async def test_beside_a_batch_the_next_starts_with_as_many(script, other):
    group = group_of(script, other)
    held(script, other)
    most = 2 * WORTH_A_WAY - 1
    futures = [group.submit(number) for number in range(most)]
    await turns()
    futures += [group.submit(number) for number in range(most, 2 * most - 1)]
    await turns()
    assert other.batches == []
    futures.append(group.submit("last"))
    await turns()
    assert [len(batch) for batch in other.batches] == [most]
    script.gate.set()
    other.gate.set()
    await settle(*futures)


async def test_who_is_about_to_be_answered_counts_as_under_way(script, other):
    group = group_of(script, other, most_waiting=200)
    held(script, other)
    half = 6 * ANSWERED_AT_ONCE
    first = [group.submit(number) for number in range(2 * half)]
    await turns()
    script.gate.set()
    while not first[0].done():
        await asyncio.sleep(0)
    script.gate.clear()
    again = [group.submit(-number) for number in range(1, half + 1)]
    await turns(4)
    assert not first[half - 1].done()
    assert len(script.batches) == 1
    await settle(*first[:half])
    await turns()
    assert [len(batch) for batch in script.batches] == [half, half]
    script.gate.set()
    other.gate.set()
    await settle(*first, *again)


async def test_batches_in_flight_share_no_key(script, other):
    group = group_of(script, other)
    held(script)
    first = [group.submit(name) for name in "ab"]
    await turns()
    numbers = list(range(2 * WORTH_A_WAY))
    rest = [group.submit(name) for name in ["a", *numbers, "b", "a"]]
    await turns()
    assert script.batches == [["a", "b"]]
    assert other.committed == numbers[: len(other.committed)] != []
    script.gate.set()
    await settle(*first, *rest)
    assert sorted(map(str, script.committed + other.committed)) == sorted(
        map(str, ["a", "a", "a", "b", "b", *numbers])
    )
    assert script.batches[1][0] == "a"  # it was passed by, and is the first now


async def test_where_all_that_waits_has_keys_in_flight_it_goes_after_them(script, other):
    group = group_of(script, other)
    held(script)
    first = group.submit("a")
    await turns()
    rest = [group.submit("a") for _ in range(2 * WORTH_A_WAY)]
    await turns()
    assert other.batches == []
    script.gate.set()
    await settle(first, *rest)
    assert sum(len(batch) for batch in script.batches + other.batches) == 1 + 2 * WORTH_A_WAY


async def test_a_way_that_fails_keeps_no_keys(script, other):
    group = group_of(script, other)
    script.busy = other.busy = True
    await settle(*(group.submit(name) for name in "abc"))
    script.busy = other.busy = False
    assert await settle(*(group.submit(name) for name in "abc")) == ["done a", "done b", "done c"]


async def test_closing_waits_for_every_way(script, other):
    group = group_of(script, other)
    held(script, other)
    futures = [group.submit(number) for number in range(2 * WORTH_A_WAY)]
    await turns()
    closing = asyncio.create_task(group.close())
    script.gate.set()
    await turns()
    assert not closing.done()
    other.gate.set()
    await closing
    assert all(future.done() for future in futures)
