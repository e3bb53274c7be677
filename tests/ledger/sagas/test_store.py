"""Tasks on a real PostgreSQL: made once, taken in order, kept by whoever has the lease."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from ledger.sagas.steps import TRANSITIONS, TaskState, task_id
from ledger.sagas.store import TaskStore

WANTED = [("kettle:1", 1, "boil"), ("kettle:1", 2, "pour"), ("kettle:2", 1, "boil")]


@pytest.fixture
def tasks(database):
    return TaskStore(database)


@pytest.fixture
async def three(tasks, database, clock):
    async with database.transaction() as transaction:
        await tasks.add(transaction, WANTED, clock())


async def claim(tasks, clock, lease_s=60, limit=10):
    lease_until = clock() + timedelta(seconds=lease_s)
    taken = await tasks.claim(clock(), lease_until, limit, latest=lease_until)
    return {(task.stream_id, task.version): task for task in taken}


async def test_a_task_is_made_once(three, tasks, database, clock):
    async with database.transaction() as transaction:
        await tasks.add(transaction, WANTED, clock())
    assert len(await tasks.tasks(limit=10)) == 3
    task = await tasks.task(task_id(*WANTED[0]))
    assert (task.state, task.attempts, task.step) == (TaskState.DUE, 0, "boil")
    assert await tasks.next_due() == clock()


async def test_tasks_of_a_stream_are_taken_in_its_order(three, tasks, clock):
    taken = await claim(tasks, clock)
    assert set(taken) == {("kettle:1", 1), ("kettle:2", 1)}
    assert await claim(tasks, clock) == {}
    assert await tasks.finish(taken["kettle:1", 1], clock())
    assert set(await claim(tasks, clock)) == {("kettle:1", 2)}


async def test_a_task_is_taken_by_one(three, tasks, clock):
    rounds = await asyncio.gather(*(claim(tasks, clock) for _ in range(6)))
    assert sorted(key for taken in rounds for key in taken) == [("kettle:1", 1), ("kettle:2", 1)]
    assert len(await claim(tasks, clock, limit=1)) == 0


async def test_an_overtaken_attempt_changes_nothing(three, tasks, clock):
    slow = (await claim(tasks, clock))["kettle:1", 1]
    clock.advance(61)
    quick = (await claim(tasks, clock))["kettle:1", 1]
    assert (slow.attempts, quick.attempts) == (1, 2)
    assert not await tasks.finish(slow, clock())
    assert not await tasks.postpone(slow, clock(), "late")
    assert not await tasks.bury(slow, clock(), "late")
    assert await tasks.finish(quick, clock())
    done = await tasks.task(quick.task_id)
    assert (done.state, done.finished_at, done.last_error) == (TaskState.DONE, clock(), None)


async def test_what_a_clock_ahead_has_put_off_is_due_when_it_is_right(three, tasks, clock):
    right = clock.now
    clock.advance(365 * 86_400)
    failed = await claim(tasks, clock)
    for task in failed.values():
        assert await tasks.postpone(task, clock() + timedelta(seconds=60), "no water")
    clock.now = right
    again = await claim(tasks, clock)
    assert set(again) == set(failed)
    assert await claim(tasks, clock) == {}, "they are leased, by a clock that is right"


async def test_a_dead_task_holds_back_the_later_ones_until_it_is_revived(three, tasks, clock):
    task = (await claim(tasks, clock))["kettle:1", 1]
    assert await tasks.bury(task, clock(), "no water")
    assert await tasks.count_dead() == 1
    clock.advance(10**6)
    assert set(await claim(tasks, clock)) == {("kettle:2", 1)}
    [dead] = await tasks.tasks(state=TaskState.DEAD, limit=10)
    assert dead.last_error == "no water"
    revived = await tasks.revive(task.task_id, clock())
    assert (revived.state, revived.attempts, revived.due_at) == (TaskState.DUE, 0, clock())
    assert await tasks.revive(task.task_id, clock()) is None
    again = (await claim(tasks, clock))["kettle:1", 1]
    assert await tasks.finish(again, clock())
    assert await tasks.revive(task.task_id, clock()) is None
    assert set(await claim(tasks, clock)) == {("kettle:1", 2)}


async def test_they_are_listed_newest_first_page_by_page(three, tasks):
    first = await tasks.tasks(limit=2)
    rest = await tasks.tasks(limit=2, before=first[-1])
    assert {task.task_id for task in (*first, *rest)} == {task_id(*each) for each in WANTED}
    assert len(await tasks.tasks(stream_id="kettle:1", limit=10)) == 2
    assert await tasks.tasks(state=TaskState.DEAD, limit=10) == []


async def test_the_database_knows_the_states_and_keeps_the_rest(three, pool):
    for state in TRANSITIONS:
        finished = "NULL" if state is TaskState.DUE else "now()"
        await pool.execute(
            f"UPDATE ledger.saga_tasks SET state = '{state}', finished_at = {finished}"
        )
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute("UPDATE ledger.saga_tasks SET state = 'lost'")
    for statement in ("DELETE FROM ledger.saga_tasks", "UPDATE ledger.saga_tasks SET step = 'x'"):
        with pytest.raises(asyncpg.RestrictViolationError):
            await pool.execute(statement)
